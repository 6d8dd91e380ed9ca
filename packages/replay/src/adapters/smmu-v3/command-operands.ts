// SPDX-License-Identifier: Apache-2.0
// SMMUv3 commands as text, from their bytes and from QEMU's trace, so that both can be compared. Arm IHI 0070, chapter 4.

import { hex } from '@irqkit/bits';
import { commands } from '@irqkit/smmu-v3';
import type { CapturedEvent } from '../../capture/capture.js';

const { CMD_CFGI_CD, CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA, CMD_TLBI_S12_VMALL } =
  commands;

/** QEMU's word for an operand that a command does not have. */
const NONE = -1;

export function commandName(words: Uint32Array): string {
  const opcode = commands.commandOpcode(words);
  return commands.COMMAND_NAMES[opcode] ?? `command ${hex(opcode)}`;
}

/** An invalidation by address: QEMU traces it in pieces of a power of two pages each. */
export interface TracedRange {
  readonly vmid: number;
  readonly asid: number;
  readonly address: number;
  readonly tg: number;
  readonly pages: number;
  readonly ttl: number;
  readonly leaf: number;
}

export function tracedRange({ event, fields }: CapturedEvent): TracedRange | undefined {
  if (event !== 's1_range_inval' && event !== 'range_inval') return undefined;
  const field = (name: string): number => Number(fields[name]);
  return {
    vmid: field('vmid'),
    asid: field('asid'),
    address: field('addr'),
    tg: field('tg'),
    pages: field('num_pages'),
    ttl: field('ttl'),
    leaf: field('leaf'),
  };
}

/** Both pieces as one, where the second goes on at the end of the first; else undefined. */
export function joined(first: TracedRange, second: TracedRange): TracedRange | undefined {
  const granule = 2 ** commands.TLBI_TG_LOG2[first.tg];
  if (second.address !== first.address + first.pages * granule) return undefined;
  return { ...first, pages: first.pages + second.pages };
}

export function rangeText({ vmid, asid, address, tg, pages, ttl, leaf }: TracedRange): string {
  const tag = asid === NONE ? `VMID ${vmid}` : `VMID ${vmid}, ASID ${asid}`;
  return `${tag}, ${hex(address)}, TG ${tg}, ${pages} pages, TTL ${ttl}, Leaf ${leaf}`;
}

/** The operands of a command as QEMU traced them; undefined where the event is of none. */
export function tracedOperands({ event, fields }: CapturedEvent): string | undefined {
  const field = (name: string): number => Number(fields[name]);
  switch (event) {
    case 'cmdq_cfgi_ste':
    case 'cmdq_cfgi_cd':
      return streamText(field('streamid'));
    case 'cmdq_cfgi_ste_range':
      return streamsText(field('start'), field('end'));
    case 'cmdq_tlbi_nh_asid':
      return `ASID ${field('asid')}`;
    case 'cmdq_tlbi_s12_vmid':
      return `VMID ${field('vmid')}`;
    default:
      return undefined;
  }
}

/** The same from a command's bytes; undefined where QEMU traces none of such a command. */
export function decodedOperands(words: Uint32Array): string | undefined {
  switch (commands.commandOpcode(words)) {
    case CMD_CFGI_STE.opcode:
    case CMD_CFGI_CD.opcode:
    case commands.CMD_CFGI_CD_ALL.opcode:
    case commands.CMD_PREFETCH_CONFIG.opcode:
      return streamText(CMD_CFGI_STE.StreamID(words));
    case CMD_CFGI_STE_RANGE.opcode: {
      const count = 2 ** (CMD_CFGI_STE_RANGE.Range(words) + 1);
      const streamId = CMD_CFGI_STE_RANGE.StreamID(words);
      const first = streamId - (streamId % count);
      return streamsText(first, first + count - 1);
    }
    case CMD_TLBI_NH_ASID.opcode:
      return `ASID ${CMD_TLBI_NH_ASID.ASID(words)}`;
    case CMD_TLBI_S12_VMALL.opcode:
      return `VMID ${CMD_TLBI_S12_VMALL.VMID(words)}`;
    case CMD_TLBI_NH_VA.opcode:
      return rangeText(decodedRange(words, CMD_TLBI_NH_VA.ASID(words)));
    case commands.CMD_TLBI_NH_VAA.opcode:
    case commands.CMD_TLBI_S2_IPA.opcode:
      return rangeText(decodedRange(words, NONE));
    default:
      return undefined;
  }
}

function decodedRange(words: Uint32Array, asid: number): TracedRange {
  const { Address, Leaf, NUM, SCALE, TG, TTL, VMID } = CMD_TLBI_NH_VA;
  const tg = TG(words);
  return {
    vmid: VMID(words),
    asid,
    address: Address(words),
    tg,
    pages: tg === 0 ? 1 : (NUM(words) + 1) * 2 ** SCALE(words),
    ttl: TTL(words),
    leaf: Leaf(words),
  };
}

function streamText(streamId: number): string {
  return `StreamID ${hex(streamId)}`;
}

function streamsText(first: number, last: number): string {
  return `StreamID ${hex(first)}-${hex(last)}`;
}
