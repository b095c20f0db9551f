import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';
import source from '../../dyn_explorer/kernel_listing.py';

export interface Model {
  readonly name: string;
  readonly class: string;
  readonly parameters: number | null;
  readonly device: string | null;
  readonly training: boolean;
  readonly version: string;
}

export interface Input {
  readonly name: string;
  readonly kind: 'tensor' | 'array' | 'loader';
  readonly class: string;
  readonly shape: readonly number[] | null;
  readonly dtype: string;
  readonly device: string;
}

export interface Listing {
  readonly torch: boolean;
  readonly models: readonly Model[];
  readonly inputs: readonly Input[];
  readonly notLookedAt: number;
}

/** The Python expression that lists a kernel's variables, as `kernel_listing.expression` builds it. */
export function listingExpression(): string {
  const variables = "__import__('IPython').get_ipython().user_ns";
  // A JSON string is a Python string of the same characters.
  const run = `__import__('builtins').exec(${JSON.stringify(source)}, scope)`;
  const scope = "{'__name__': 'dyn_explorer_kernel_listing'}";
  return `(lambda scope: (${run}, scope['listing'](${variables}))[1])(${scope})`;
}

/** Read a kernel's answer; what is not as it should be is left out. */
export function readListing(value: ReadonlyJSONValue | undefined): Listing | null {
  if (!isObject(value)) {
    return null;
  }
  return {
    torch: value['torch'] === true,
    models: objects(value['models']).map(readModel),
    inputs: objects(value['inputs']).map(readInput),
    notLookedAt: typeof value['not_looked_at'] === 'number' ? value['not_looked_at'] : 0
  };
}

function readModel(model: ReadonlyJSONObject): Model {
  return {
    name: text(model['name']),
    class: text(model['class']),
    parameters: typeof model['parameters'] === 'number' ? model['parameters'] : null,
    device: typeof model['device'] === 'string' ? model['device'] : null,
    training: model['training'] === true,
    version: text(model['version'])
  };
}

function readInput(input: ReadonlyJSONObject): Input {
  const { kind, shape } = input;
  return {
    name: text(input['name']),
    kind: kind === 'array' || kind === 'loader' ? kind : 'tensor',
    class: text(input['class']),
    shape: Array.isArray(shape) && shape.every(size => typeof size === 'number') ? shape : null,
    dtype: text(input['dtype']),
    device: text(input['device'])
  };
}

function isObject(value: ReadonlyJSONValue | undefined): value is ReadonlyJSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objects(value: ReadonlyJSONValue | undefined): ReadonlyJSONObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: ReadonlyJSONValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
