import type { Kernel } from '@jupyterlab/services';
import type { ReadonlyJSONValue } from '@lumino/coreutils';

/** What a kernel says to one expression: a JSON value, or the name and the text of the error that it raised. */
export type Answer = { value: ReadonlyJSONValue | undefined } | { error: string; message: string };

interface Evaluated {
  status?: string;
  data?: { 'application/json'?: ReadonlyJSONValue };
  ename?: string;
  evalue?: string;
}

/** Ask an idle kernel for the value of a Python expression, leaving no trace in its history or namespace. */
export async function ask(kernel: Kernel.IKernelConnection, expression: string): Promise<Answer> {
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    user_expressions: { answer: expression }
  });
  const { content } = await future.done;
  if (content.status !== 'ok') {
    return { error: 'Interrupted', message: 'the kernel was interrupted while it answered' };
  }
  const answer = content.user_expressions['answer'] as Evaluated | undefined;
  if (answer?.status !== 'ok') {
    return { error: answer?.ename ?? 'Error', message: answer?.evalue ?? 'the kernel gave no answer' };
  }
  return { value: answer.data?.['application/json'] };
}

/** Whether a name from a kernel is a Python identifier, and nothing else. */
export function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name);
}
