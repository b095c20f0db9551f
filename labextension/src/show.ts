import type { Answer } from './kernel';
import { isIdentifier } from './kernel';

/** The variables that an inspector looks at. */
export interface Names {
  readonly model: string;
  readonly inputs: string;
  readonly labels: string | null;
}

/** An inspector that the kernel holds, or why there is none. */
export type Shown = { key: string; modelId: string; title: string; code: string } | { problem: string };

const MODULE = "__import__('importlib').import_module('dyn_explorer.inspector.side')";

/** The Python expression that opens an inspector on these variables, or refreshes the one that is there. */
export function showExpression({ model, inputs, labels }: Names): string {
  const names = [model, inputs, ...(labels === null ? [] : [labels])];
  if (!names.every(isIdentifier)) {
    throw new Error(`${names.join(', ')}: not all of these are names of variables`);
  }
  const given = [model, inputs].map(name => JSON.stringify(name));
  return `${MODULE}.show(${given.join(', ')}, ${labels === null ? 'None' : JSON.stringify(labels)})`;
}

/** The Python expression that looks again at what a tab shows. */
export function againExpression(key: string): string {
  return `${MODULE}.again(${JSON.stringify(key)})`;
}

/** Read the kernel's answer to either. */
export function readShown(answer: Answer): Shown {
  if ('error' in answer) {
    return { problem: explain(answer.error, answer.message) };
  }
  const value = answer.value as Partial<Record<string, unknown>> | null | undefined;
  const { ok, error, model_id: modelId, key, title, code } = value ?? {};
  if (ok === true && typeof modelId === 'string' && typeof key === 'string') {
    return { key, modelId, title: String(title ?? ''), code: String(code ?? '') };
  }
  return {
    problem: typeof error === 'string' ? error : 'The kernel gave an answer that this extension does not know.'
  };
}

function explain(error: string, message: string): string {
  if (error !== 'ModuleNotFoundError' || !message.includes('dyn_explorer')) {
    return `${error}: ${message}`;
  }
  const isOld = message.includes('dyn_explorer.');
  return isOld
    ? "The dyn_explorer in this kernel's environment is older than this extension. " +
        'Run %pip install --upgrade dyn-explorer in a cell, and restart the kernel.'
    : "This kernel's environment has no dyn_explorer. " +
        'Run %pip install dyn-explorer in a cell, then press Explore again.';
}

/** Names that were stored as JSON. */
export function readNames(value: unknown): Names | null {
  const { model, inputs, labels } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof model !== 'string' || typeof inputs !== 'string') {
    return null;
  }
  return { model, inputs, labels: typeof labels === 'string' ? labels : null };
}
