// SPDX-License-Identifier: Apache-2.0
// IOVAs through magazines, as DMA domains take them. Apart from those without: the two sketches share methods, and in one process
// each would run on what the other taught the compiler.
import { LOADS, below4GiBFirst, besideSketch } from './iova-pair.mjs';
import { BuddyWithMagazines } from './twins/iova.mjs';

export function cases() {
  return [
    ...LOADS.flatMap((load) => besideSketch(BuddyWithMagazines, true, load)),
    ...LOADS.map((load) => below4GiBFirst(true, load)),
  ];
}
