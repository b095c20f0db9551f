import { isIdentifier } from './kernel';
import type { Input, Listing } from './listing';
import type { Names } from './show';

/** What a person has chosen so far. */
export interface Choice {
  readonly model: string | null;
  readonly inputs: string | null;
  /** None chosen yet is undefined; the choice to give none is null. */
  readonly labels: string | null | undefined;
}

export const NOTHING: Choice = { model: null, inputs: null, labels: undefined };

/** Keep of a choice what is still there, and fill in what is obvious: the only model, a batch of numbers. */
export function complete(choice: Choice, listing: Listing): Choice {
  const models = listing.models.filter(model => isIdentifier(model.name));
  const inputs = listing.inputs.filter(input => isIdentifier(input.name));
  const model = models.find(({ name }) => name === choice.model) ?? (models.length === 1 ? models[0] : undefined);
  const kept = inputs.find(({ name }) => name === choice.inputs);
  const input = kept ?? inputs.find(isBatch) ?? inputs.find(({ kind }) => kind === 'loader');
  return { model: model?.name ?? null, inputs: input?.name ?? null, labels: labelsFor(choice, input, listing) };
}

/** The names to explore, once a model and inputs are chosen. */
export function namesOf({ model, inputs, labels }: Choice): Names | null {
  return model === null || inputs === null ? null : { model, inputs, labels: labels ?? null };
}

/** What could be the classes of these inputs. */
export function labelsOf(input: Input | undefined, listing: Listing): Input[] {
  return listing.inputs.filter(
    ({ name, shape, dtype }) =>
      isIdentifier(name) &&
      name !== input?.name &&
      shape?.length === 1 &&
      /^u?int/.test(dtype) &&
      (input === undefined || input.shape === null || input.shape[0] === shape[0])
  );
}

function labelsFor(choice: Choice, input: Input | undefined, listing: Listing): string | null | undefined {
  const candidates = labelsOf(input, listing).map(({ name }) => name);
  if (choice.labels === null || (choice.labels && candidates.includes(choice.labels))) {
    return choice.labels;
  }
  // A loader brings its own labels.
  return input?.kind === 'loader' ? undefined : candidates[0];
}

function isBatch({ kind, shape, dtype }: Input): boolean {
  return kind !== 'loader' && dtype.includes('float') && shape !== null && shape.length > 1 && shape[0]! > 1;
}
