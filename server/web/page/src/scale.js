// Five steps of a colour for figures, and what each step means. Pure.

export const STEPS = 5;

const NICE = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 75, 100];

// The smallest round number that is not below n.
function roundUp(n) {
  let size = 1;
  while (n > size * 100) size *= 100;
  return size * (NICE.find((nice) => nice * size >= n) ?? 100);
}

// A scale is { step(value) → 1..5, ranges: [[from, to] × 5] }; `to` is null at an open end.
function stepped(bounds) {
  const ranges = bounds.map((from, i) => [from, i + 1 < bounds.length ? bounds[i + 1] - 1 : null]);
  return {
    ranges,
    step: (value) => Math.max(1, bounds.filter((from) => value >= from).length),
  };
}

const FEW = 50; // up to here ranges end where the greatest count does, above at round numbers

// Counts from 1 up, in five ranges of whole numbers that are as equal as can be and hold the greatest.
export function countScale(values) {
  const greatest = Math.max(STEPS, ...values);
  const end = greatest <= FEW ? greatest : STEPS * roundUp(greatest / STEPS);
  const scale = stepped([0, 1, 2, 3, 4].map((i) => Math.round((i * end) / STEPS) + 1));
  scale.ranges[STEPS - 1][1] = end;
  return scale;
}

export function percentScale() {
  const scale = stepped([0, 20, 40, 60, 80]);
  scale.ranges[STEPS - 1][1] = 100;
  return scale;
}

// Entries that are known of but not yet here.
export function lagScale() {
  const scale = stepped([0, 1, 11, 101, 1001]);
  scale.ranges[0][1] = 0;
  return scale;
}

// Days since a confirmation, the newest in the darkest step: up to a quarter, half a year, one, two, longer.
export const AGE_DAYS = [0, 92, 183, 366, 731];
export function ageScale() {
  const young = stepped(AGE_DAYS);
  return { ranges: [...young.ranges].reverse(), step: (days) => STEPS + 1 - young.step(days) };
}
