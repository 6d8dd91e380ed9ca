// SPDX-License-Identifier: Apache-2.0
// IOVAs straight from the buddies: what is let go joins its neighbours at once.
import { LOADS, below4GiBFirst, besideSketch } from './iova-pair.mjs';
import { Buddy } from './twins/iova.mjs';

export function cases() {
  return [
    ...LOADS.flatMap((load) => besideSketch(Buddy, false, load)),
    ...LOADS.map((load) => below4GiBFirst(false, load)),
  ];
}
