import type { Input, Model } from './listing';

const UNITS: [number, string][] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k']
];
// Up to here every digit is read.
const WRITTEN_OUT = 1e5;

/** A count in short form: 25562 is "25,562", 11689512 is "11.7 M". */
export function short(count: number): string {
  const unit = count < WRITTEN_OUT ? undefined : UNITS.find(([size]) => count >= size);
  return unit === undefined ? count.toLocaleString('en') : `${(count / unit[0]).toPrecision(3)} ${unit[1]}`;
}

/** A model's class, parameters and device in one line. */
export function describeModel({ class: kind, parameters, device }: Model): string {
  const count = parameters === null ? 'parameters without a shape yet' : `${short(parameters)} parameters`;
  return [kind, count, device ?? ''].filter(Boolean).join(' · ');
}

/** What an input is in one line. */
export function describeInput({ kind, class: name, shape, dtype, device }: Input): string {
  if (kind === 'loader') {
    return name;
  }
  const sizes = shape === null ? 'rows of different lengths' : shape.join(' × ');
  return [sizes, dtype, kind === 'array' ? 'NumPy' : device].join(' · ');
}
