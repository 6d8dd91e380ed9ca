// SPDX-License-Identifier: Apache-2.0
// Recorded walks made by hand: one page of 4 KiB, 0x12345000 -> 0x46010000, for stream 0x10.

/** Doublewords in hexadecimal. */
type Words = Readonly<Record<string, string>>;

const IDR = { IDR0: '0xd44101a', IDR1: '0x2730010', IDR2: '0x0', IDR3: '0x1404', IDR5: '0x74' };
const ZEROS = Array.from({ length: 6 }, () => '0x0');

export const STE = ['0x4143000b', '0x1000000000d4', ...ZEROS];
export const CD = ['0x1e204f5903510', '0x42000000', '0x0', '0xff440c0400', ...ZEROS.slice(2)];
export const TABLES: Words = {
  '0x42000000': '0x42001003',
  '0x42001000': '0x42002003',
  '0x42002488': '0x42003003',
  '0x42003a28': '0x46010743',
};

export const READ = { op: 'read', iova: '0x12345678', result: 'ok', pa: '0x46010678', perm: 'rw' };
export const WRITE = { ...READ, op: 'write' };

/** A stage 1 case; `over` replaces what it has. */
export function walkCase(over: object = {}): object {
  return {
    name: 'page',
    smmu_stage_property: '1',
    sid: '0x10',
    ste_pa: '0x41400400',
    ste: STE,
    cd_pa: '0x41430000',
    cd: CD,
    ram: TABLES,
    probes: [READ, WRITE],
    ...over,
  };
}

export function walkFile(cases: readonly object[], over: object = {}): object {
  const registers = { STRTAB_BASE: '0x41400000', STRTAB_BASE_CFG: '0x8 (linear)', CR0: '0xd', GBPA: 'reset' };
  return { idr: IDR, default_registers: registers, cases, ...over };
}

/** A stage 2 case, and the silicon that it needs. */
export function stage2File(ste: readonly string[], ram: Words, over: object): object {
  const {
    cd: _cd,
    cd_pa: _cdPa,
    ...one
  } = walkCase({ smmu_stage_property: '2', ste, ram, ...over }) as {
    cd: unknown;
    cd_pa: unknown;
  };
  return walkFile([one], { idr: { ...IDR, IDR0: '0xd441019', IDR3: '0x1414' } });
}

export function stage2Ste(dword2: string, ttb: string): readonly string[] {
  return ['0xd', '0x1000000000d4', dword2, ttb, ...ZEROS.slice(2)];
}

/** The oracle of invalidations, with these cases of one run. */
export function oracle(cases: readonly object[], over: object = {}): object {
  return {
    sid: '0x10',
    iova: '0x12345678',
    tables: { '1/config5': { s1: { ste: STE, cd: CD, ram: TABLES } } },
    runs: [{ smmu_stage_property: '1', config: 5, idr: IDR, cases }],
    ...over,
  };
}

const SYNC = ['0x46', '0x0'];

/** The leaf goes to 0x46020000; `words` is the command between. */
export function invalidation(command: string, words: readonly string[], removed: boolean, over: object = {}): object {
  return {
    change: 's1',
    command,
    cmd_words: [words, SYNC],
    cerror: 0,
    stale_entry_used: !removed,
    before: { result: 'ok', pa: '0x46010678' },
    after: { result: 'ok', pa: removed ? '0x46020678' : '0x46010678' },
    changed_word: ['0x42003a28', '0x46020743'],
    table_set: 's1',
    ...over,
  };
}
