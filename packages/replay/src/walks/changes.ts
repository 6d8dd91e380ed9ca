// SPDX-License-Identifier: Apache-2.0
// What software changes in the tables between two accesses of the invalidation oracle.

import { layouts } from '@irqkit/smmu-v3';
import { recordedPlaces } from './recorded-places.js';
import type { WalkMachine } from './walk-machine.js';
import type { InvalidationCase, InvalidationRun, Pair } from './walks.js';

const { CD, STE_CONFIG } = layouts;

/** How far from the first tables the second ones are, which the recording does not have. */
const SECOND_TABLES = 0x10_0000;
const CD_REPLACED = /^CD replaced/;
const PAGE_BYTES = 0x1000;
const SECOND_ASID = 2;

/** Undefined where the recording does not say enough. */
export function changeOf(
  { cases, config }: InvalidationRun,
  one: InvalidationCase,
  streamId: number,
): ((machine: WalkMachine) => void) | undefined {
  const { changed } = one;
  if (changed) return (machine) => machine.store(...changed);
  if (!CD_REPLACED.test(one.change) || config !== STE_CONFIG.S1) return undefined;
  const target = cases.map(({ change, stale, after }) => change === one.change && !stale && 'pa' in after && after.pa);
  const pa = target.find((found) => found !== false);
  return pa === undefined ? undefined : (machine) => replaceCd(machine, one, streamId, pa);
}

/** Another CD, with another ASID, and tables of the same shape that take the address to another page. */
function replaceCd(machine: WalkMachine, { tables }: InvalidationCase, streamId: number, pa: number): void {
  const { cdPa } = recordedPlaces(tables.ste, streamId);
  if (!tables.cd || cdPa === undefined) return;
  const pages = new Set([...tables.ram.keys()].map(pageOf));
  for (const [address, [lo, hi]] of tables.ram) {
    const isTable = pages.has(pageOf(lo));
    const output = isTable ? pageOf(lo) + SECOND_TABLES : pageOf(pa);
    machine.store(address + SECOND_TABLES, [output + (lo % PAGE_BYTES), hi] as Pair);
  }
  const cd = tables.cd.slice();
  CD.TTB0.put(cd, CD.TTB0(cd) + SECOND_TABLES);
  CD.ASID.put(cd, SECOND_ASID);
  machine.unit.store(cdPa, cd);
}

function pageOf(address: number): number {
  return address - (address % PAGE_BYTES);
}
