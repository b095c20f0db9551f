import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { Answer } from './kernel';
import { ask } from './kernel';
import type { Listing } from './listing';
import { listingExpression, readListing } from './listing';
import { COMM_TARGET } from './names';
import type { Names, Shown } from './show';
import { againExpression, readShown, showExpression } from './show';

/** What the kernel of a notebook is doing, as far as it matters here. */
export type Phase = 'none' | 'starting' | 'other language' | 'busy' | 'idle' | 'gone';

const GONE: Kernel.Status[] = ['restarting', 'autorestarting', 'dead', 'terminating'];
const WAITING: Kernel.Status[] = ['unknown', 'starting'];
// Between the cells of "Run All" a kernel is idle for a moment.
const QUIET_MS = 150;

/** The kernel of one notebook: what it holds, whether it is busy, and when it is lost. */
export class KernelWatch implements IDisposable {
  /** The phase or the listing has changed. */
  readonly changed = new Signal<this, void>(this);
  /** The kernel has listed its variables. */
  readonly listed = new Signal<this, Listing>(this);
  /** All that the kernel held is lost. */
  readonly lost = new Signal<this, void>(this);
  /** Python asks for a view at the side. */
  readonly asked = new Signal<this, unknown>(this);

  listing: Listing | null = null;
  failure = '';

  constructor(
    readonly panel: NotebookPanel,
    private readonly isWanted: (watch: KernelWatch) => boolean
  ) {
    const context = panel.sessionContext;
    context.kernelChanged.connect(this.onKernelChanged, this);
    context.statusChanged.connect(this.onStatusChanged, this);
    context.iopubMessage.connect(this.onMessage, this);
    panel.disposed.connect(this.dispose, this);
    this.adopt();
  }

  get path(): string {
    return this.panel.context.path;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.panel.sessionContext.session?.kernel ?? null;
  }

  get phase(): Phase {
    const kernel = this.kernel;
    if (kernel === null) {
      return this.panel.sessionContext.isReady ? 'none' : 'starting';
    }
    if (GONE.includes(kernel.status)) {
      return 'gone';
    }
    if (this.language === '' || (this.listing === null && WAITING.includes(kernel.status))) {
      return 'starting';
    }
    if (this.language !== 'python') {
      return 'other language';
    }
    return this.isBusy ? 'busy' : 'idle';
  }

  get language(): string {
    return this.languageName;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.disposed = true;
    window.clearTimeout(this.timer);
    Signal.clearData(this);
  }

  /** List soon, if the kernel is quiet then and anybody looks. */
  want(): void {
    if (this.timer === 0) {
      this.timer = window.setTimeout(() => {
        this.timer = 0;
        void this.listIfQuiet();
      }, QUIET_MS);
    }
  }

  /** List again, whatever has been listed before. */
  refresh(): void {
    this.stale = true;
    this.want();
  }

  /** Open an inspector on these variables, or refresh the one that is there. */
  show(names: Names): Promise<Shown> {
    return this.shown(showExpression(names));
  }

  /** Look again at what a tab shows. */
  again(key: string): Promise<Shown> {
    return this.shown(againExpression(key));
  }

  private async shown(expression: string): Promise<Shown> {
    if (this.phase !== 'idle') {
      return { problem: 'The kernel is busy: press Explore when it is idle.' };
    }
    try {
      return readShown(await this.asking(expression));
    } catch {
      return { problem: 'The kernel was restarted while it opened the inspector.' };
    }
  }

  private async listIfQuiet(): Promise<void> {
    if (!this.stale || this.phase !== 'idle' || this.pending > 0 || !this.isWanted(this)) {
      return;
    }
    this.stale = false;
    const kernel = this.kernel;
    const answer = await this.asking(listingExpression()).catch(() => null);
    if (this.disposed || answer === null || kernel !== this.kernel) {
      return;
    }
    const listing = 'error' in answer ? null : readListing(answer.value);
    this.failure = 'error' in answer ? `${answer.error}: ${answer.message}` : '';
    this.listing = listing;
    this.changed.emit();
    if (listing !== null) {
      this.listed.emit(listing);
    }
  }

  private async asking(expression: string): Promise<Answer> {
    this.pending += 1;
    try {
      return await ask(this.kernel!, expression);
    } finally {
      this.pending -= 1;
      this.want();
    }
  }

  /**
   * Whether a cell runs. The kernel's status alone does not tell: what a widget says while a cell runs may be
   * handled beside the cell, and its end makes the status idle; and what is asked silently makes it busy.
   */
  private get isBusy(): boolean {
    return this.cell !== null || (!this.hasSeenCells && this.kernel?.status === 'busy');
  }

  private adopt(): void {
    const kernel = this.kernel;
    this.languageName = '';
    this.listing = null;
    this.failure = '';
    this.stale = true;
    this.cell = null;
    this.hasSeenCells = false;
    if (kernel === null) {
      return;
    }
    kernel.registerCommTarget(COMM_TARGET, (_comm, message) => this.asked.emit(message.content.data));
    kernel.info.then(
      info => {
        if (kernel === this.kernel) {
          this.languageName = info.language_info.name;
          this.changed.emit();
          this.want();
        }
      },
      () => undefined // the kernel went before it said what it is; the next one is asked again
    );
  }

  private onKernelChanged(_: unknown, { oldValue }: { oldValue: Kernel.IKernelConnection | null }): void {
    this.adopt();
    if (oldValue !== null) {
      this.lost.emit();
    }
    this.changed.emit();
  }

  private onStatusChanged(_: unknown, status: Kernel.Status): void {
    if (GONE.includes(status)) {
      this.listing = null;
      this.stale = true;
      this.cell = null;
      this.lost.emit();
    }
    if (status === 'idle') {
      this.want();
    }
    this.changed.emit();
  }

  private onMessage(_: unknown, message: KernelMessage.IMessage): void {
    const { msg_id: request } = message.parent_header as Partial<KernelMessage.IHeader>;
    // Every cell that begins says so. What is asked silently, by this extension or by anybody else, does not.
    if (message.header.msg_type === 'execute_input' && request !== undefined) {
      this.onCellBegins(request);
    } else if (message.header.msg_type === 'status' && request === this.cell) {
      if ((message.content as { execution_state?: string }).execution_state === 'idle') {
        this.onCellEnds();
      }
    }
  }

  private onCellBegins(request: string): void {
    this.cell = request;
    this.hasSeenCells = this.stale = true;
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.changed.emit();
  }

  private onCellEnds(): void {
    this.cell = null;
    this.changed.emit();
    this.want();
  }

  private disposed = false;
  /** The request of the cell that runs. */
  private cell: string | null = null;
  private hasSeenCells = false;
  private languageName = '';
  private pending = 0;
  private stale = true;
  private timer = 0;
}
