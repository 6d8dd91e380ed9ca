// SPDX-License-Identifier: Apache-2.0
// QEMU's SMMUv3 walks of stage 1 and stage 2 tables: the same address, permission, kind of fault and table. Where QEMU departs
// from the architecture, walk.test.ts says what the manual does.

import { describeWithShared, sharedPath } from '@irqkit-test/env';
import {
  createRegime,
  createWalker,
  stage2StartLevel,
  walkResult,
  WALK_ACCESS,
  WALK_FAULT,
} from '@irqkit/pgtable/walk';
import type { Regime } from '@irqkit/pgtable/walk';
import { readdirSync, readFileSync } from 'node:fs';
import { KIB16, KIB4, KIB64 } from './tables.js';

interface Probe {
  readonly op: 'read' | 'write';
  readonly iova: string;
  readonly result: string;
  readonly pa?: string;
  readonly decoded?: { readonly type: string; readonly addr2: string };
}

interface Case {
  readonly name: string;
  readonly ste: readonly string[];
  readonly cd?: readonly string[];
  readonly ram: Readonly<Record<string, string>>;
  readonly probes: readonly Probe[];
  readonly architecture?: { readonly differs: boolean };
}

/** IDR5.OAS of the captures. */
const OAS_BITS = 44;
const SIZES = [32, 36, 40, 42, 44, 48, 52, 52];
const FILES = /^(s1-(af|ap|attr|block|contig|eabt|granule|hier|invalid|oas|size|tbi|ttb1)|stage2-only)\.json$/;
/** Event types (IHI 0070, section 7.3) by what a walk calls them. */
const FAULTS = new Map([
  [0x0b, WALK_FAULT.EXTERNAL_ABORT],
  [0x10, WALK_FAULT.TRANSLATION],
  [0x11, WALK_FAULT.ADDRESS_SIZE],
  [0x12, WALK_FAULT.ACCESS_FLAG],
  [0x13, WALK_FAULT.PERMISSION],
]);

const bits = (dwords: readonly string[], hi: number, lo: number): number =>
  Number((BigInt(dwords[lo >> 6]) >> BigInt(lo & 63)) & ((1n << BigInt(hi - lo + 1)) - 1n));

/** From an STE: IHI 0070, section 5.2. */
function stage2Regime(ste: readonly string[]): Regime | undefined {
  const granuleBytes = [KIB4, KIB64, KIB16][bits(ste, 175, 174)];
  return createRegime({
    stage: 2,
    granuleBytes,
    inputBits: Math.min(64 - bits(ste, 165, 160), OAS_BITS),
    startLevel: stage2StartLevel(granuleBytes, bits(ste, 167, 166), OAS_BITS),
    ttb: bits(ste, 243, 196) * 16,
    outputBits: Math.min(SIZES[bits(ste, 178, 176)], OAS_BITS),
    paBits: OAS_BITS,
    accessFlagFaults: bits(ste, 181, 181) === 0,
  });
}

/** From a CD: IHI 0070, section 5.4. Undefined where translation by that TTB is disabled. */
function stage1Regime(cd: readonly string[], address: bigint): Regime | undefined {
  const tbi = bits(cd, 39, 38);
  const bit55 = Number((address >> 55n) & 1n);
  const upper = (tbi >> bit55) & 1 ? bit55 === 1 : address >> 63n === 1n;
  if (bits(cd, upper ? 30 : 14, upper ? 30 : 14) === 1) return undefined;
  return createRegime({
    stage: 1,
    granuleBytes: upper ? [0, KIB16, KIB4, KIB64][bits(cd, 23, 22)] : [KIB4, KIB64, KIB16][bits(cd, 7, 6)],
    inputBits: 64 - (upper ? bits(cd, 21, 16) : bits(cd, 5, 0)),
    ttb: (upper ? bits(cd, 179, 132) : bits(cd, 115, 68)) * 16,
    outputBits: Math.min(SIZES[bits(cd, 34, 32)], OAS_BITS),
    paBits: OAS_BITS,
    upper,
    tbi: ((tbi >> Number(upper)) & 1) === 1,
    accessFlagFaults: bits(cd, 35, 35) === 0,
    hierarchyDisabled: (upper ? bits(cd, 129, 129) : bits(cd, 65, 65)) === 1,
  });
}

/** The RAM of the captures: what a case does not say is zero; the rest of the address space aborts. */
const memoryOf =
  (ram: ReadonlyMap<number, bigint>) =>
  (pa: number, into: Uint32Array): boolean => {
    if (pa < 0x4000_0000 || pa >= 0x5000_0000) return false;
    const value = ram.get(pa) ?? 0n;
    into[0] = Number(value & 0xffff_ffffn);
    into[1] = Number(value >> 32n);
    return true;
  };

describeWithShared("QEMU's walks", () => {
  const folder = sharedPath('data', 'walks');
  const cases = readdirSync(folder)
    .filter((file) => FILES.test(file))
    .flatMap((file) => (JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { cases: Case[] }).cases)
    .filter(({ architecture }) => architecture?.differs !== true);

  const probed = cases.flatMap(({ name, ste, cd, ram, probes }) =>
    probes
      .filter(({ result, decoded }) => result === 'ok' || (decoded && FAULTS.has(Number(decoded.type))))
      .map((probe) => ({ title: `${name}: ${probe.op} ${probe.iova}`, ste, cd, ram, probe })),
  );

  it('are more than a hundred', () => expect(probed.length).toBeGreaterThan(100));

  it.each(probed)('$title', ({ ste, cd, ram, probe }) => {
    const address = BigInt(probe.iova);
    const regime = cd ? stage1Regime(cd, address) : stage2Regime(ste);
    const result = walkResult();
    const words = new Map(Object.entries(ram).map(([at, value]) => [Number(at), BigInt(value)]));
    const access = probe.op === 'write' ? WALK_ACCESS.WRITE : 0;
    if (regime === undefined) result.fault = WALK_FAULT.TRANSLATION;
    else
      createWalker(memoryOf(words))(regime, Number(address >> 32n), Number(address & 0xffff_ffffn) | 0, access, result);
    const { decoded } = probe;
    expect(result.fault).toBe(decoded ? FAULTS.get(Number(decoded.type)) : WALK_FAULT.NONE);
    if (!decoded) expect(result.pa).toBe(Number(probe.pa));
    if (result.fault === WALK_FAULT.EXTERNAL_ABORT) expect(result.descriptorAddress).toBe(Number(decoded?.addr2));
  });
});
