// SPDX-License-Identifier: Apache-2.0
// Which command removes what the SMMU remembers, as QEMU 10 did it (shared data, walks/tlbi.json). That QEMU kept an entry
// asks nothing of the model.

import { readFileSync } from 'node:fs';
import { regs } from '@irqkit/smmu-v3';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { SmmuRig } from './smmu-rig.js';

interface Tables {
  readonly ste: readonly string[];
  readonly cd: readonly string[] | null;
  readonly ram: Readonly<Record<string, string>>;
}
interface Answer {
  readonly result: string;
  readonly pa?: string;
}
interface Case {
  readonly change: string;
  readonly command: string;
  readonly cmd_words: readonly (readonly [string, string])[];
  readonly cerror: number;
  readonly stale_entry_used?: boolean;
  readonly before: Answer;
  readonly after: Answer;
  readonly changed_word?: readonly [string, string];
  readonly table_set?: string;
}
interface Run {
  readonly smmu_stage_property: string;
  readonly config: number;
  readonly idr: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
}
interface TlbiFile {
  readonly tables: Readonly<Record<string, Readonly<Record<string, Tables>>>>;
  readonly runs: readonly Run[];
}

const SID = 0x10;
const IOVA = 0x1234_5678n;
const STE_AT = 0x4140_0400;
const CD_AT = 0x4143_0000;
/** IHI 0070, 4.4.1.1: a granule without a range and without a level is reserved; QEMU takes it. */
const RESERVED_RANGE = 'TLBI_NH_VA range tg=4K num=0 scale=0';

describeWithShared('invalidation', () => {
  const { tables, runs } = JSON.parse(readFileSync(sharedPath('data', 'walks', 'tlbi.json'), 'utf8')) as TlbiFile;

  describe.each(runs)('stage=$smmu_stage_property, Config $config', ({ smmu_stage_property, config, idr, cases }) => {
    const silicon = Object.fromEntries(Object.entries(idr).map(([name, value]) => [name, Number(value)]));
    const rig = new SmmuRig({ silicon });

    test.each(cases.filter(({ stale_entry_used }) => stale_entry_used === false))('$change: $command', (one) => {
      const { ste, cd, ram } = tables[`${smmu_stage_property}/config${config}`][one.table_set ?? ''];
      rig.ram.clear();
      for (const [at, word] of Object.entries(ram)) rig.ram.write64(Number(at), BigInt(word));
      ste.forEach((word, i) => rig.ram.write64(STE_AT + i * 8, BigInt(word)));
      cd?.forEach((word, i) => rig.ram.write64(CD_AT + i * 8, BigInt(word)));
      rig.start({ strtab: 0x4140_0000n, cfg: 8 });
      rig.invalidateAll();
      // A write: the change of permission takes that away.
      expect(rig.translate(SID, IOVA, true)).toBe(Number(one.before.pa));
      const [at, word] = one.changed_word ?? ['', ''];
      rig.ram.write64(Number(at), BigInt(word));
      const error = rig.run(...one.cmd_words.map(([low, high]) => [BigInt(low), BigInt(high)] as const));
      expect(error).toBe(one.command === RESERVED_RANGE ? regs.CERROR.ILL : one.cerror);
      const after = rig.translate(SID, IOVA, true);
      if (one.after.result === 'ok') expect(after).toBe(Number(one.after.pa));
      else expect(after).toBeLessThan(0);
    });
  });

  test('commands for parts that the silicon lacks are CERROR_ILL', () => {
    const errors = runs.flatMap(({ idr, cases }) => {
      const silicon = Object.fromEntries(Object.entries(idr).map(([name, value]) => [name, Number(value)]));
      const rig = new SmmuRig({ silicon });
      rig.start({ strtab: 0x4140_0000n, cfg: 8 });
      return cases
        .filter(({ cerror }) => cerror !== 0)
        .map(({ cmd_words }) => rig.run(...cmd_words.map(([low, high]) => [BigInt(low), BigInt(high)] as const)));
    });
    expect(new Set(errors)).toEqual(new Set([regs.CERROR.ILL]));
  });
});
