// SPDX-License-Identifier: Apache-2.0
// Stream table entries and context descriptors, which processors store in RAM: from the next snapshot, when a command says
// that they changed. Arm IHI 0070, sections 3.3 and 5.1 to 5.4.
// UNIMP: context descriptors of substreams, and those that stage 2 translates

import { commands, layouts, regs } from '@irqkit/smmu-v3';
import type { RamSnapshot } from '../../capture/ram-snapshot.js';
import type { SmmuUnit } from './smmu-unit.js';

const { CMD_CFGI_STE_RANGE } = commands;
const { CD, L1STD, STE, STE_CONFIG } = layouts;
const { STRTAB_BASE, STRTAB_BASE_CFG, STRTAB_FMT } = regs;

const ABOUT_ONE_STREAM: readonly number[] = [
  commands.CMD_CFGI_STE.opcode,
  commands.CMD_CFGI_CD.opcode,
  commands.CMD_CFGI_CD_ALL.opcode,
];

/** One structure of a stream, and its words in a snapshot. */
export interface StoredStructure {
  readonly what: 'level 1 stream table descriptors' | 'stream table entries' | 'context descriptors';
  readonly address: number;
  readonly words: Uint32Array;
}

/** The stream whose configuration a command says is new; undefined where it is about none, or about ranges of them. */
export function reconfiguredStream(words: Uint32Array): number | undefined {
  return ABOUT_ONE_STREAM.includes(commands.commandOpcode(words)) ? CMD_CFGI_STE_RANGE.StreamID(words) : undefined;
}

/** What a snapshot has of a stream's configuration, from the table's base down. */
export function storedConfiguration(unit: SmmuUnit, streamId: number, ram: RamSnapshot): readonly StoredStructure[] {
  const found: StoredStructure[] = [];
  const load = (what: StoredStructure['what'], address: number, sizeBytes: number): Uint32Array | undefined => {
    const words = new Uint32Array(sizeBytes / 4);
    if (!ram.load(address, new Uint8Array(words.buffer))) return undefined;
    found.push({ what, address, words });
    return words;
  };
  const base = STRTAB_BASE.ADDR(unit.readPair(STRTAB_BASE.offset));
  const config = unit.read(STRTAB_BASE_CFG.offset);
  let table = base;
  let index = streamId;
  if (STRTAB_BASE_CFG.FMT(config) === STRTAB_FMT.TWO_LEVEL) {
    const leafEntries = 2 ** STRTAB_BASE_CFG.SPLIT(config);
    const level1 = load(
      'level 1 stream table descriptors',
      base + Math.floor(streamId / leafEntries) * L1STD.bytes,
      L1STD.bytes,
    );
    if (!level1 || L1STD.Span(level1) === 0) return found;
    table = L1STD.L2Ptr(level1);
    index = streamId % leafEntries;
  }
  const ste = load('stream table entries', table + index * STE.bytes, STE.bytes);
  if (ste && STE.V(ste) === 1 && STE.Config(ste) === STE_CONFIG.S1)
    load('context descriptors', STE.S1ContextPtr(ste), CD.bytes);
  return found;
}
