import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { WIDGET_MIME } from './names';

const LOOK_AGAIN_MS = 50;
const LONGEST_WAIT_MS = 30_000;

/**
 * Wait until a notebook can draw the widgets of its kernel; false if it never can.
 *
 * Until the widget manager has met the kernel, the notebook draws with what the application draws with, and a view
 * that stands in no cell would never hear of the manager.
 */
export async function canDrawWidgets(
  ofNotebook: IRenderMimeRegistry,
  ofApplication: IRenderMimeRegistry
): Promise<boolean> {
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited += LOOK_AGAIN_MS) {
    const factory = ofNotebook.getFactory(WIDGET_MIME);
    if (factory !== undefined && factory !== ofApplication.getFactory(WIDGET_MIME)) {
      return true;
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return false;
}
