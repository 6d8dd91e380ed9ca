// SPDX-License-Identifier: Apache-2.0
// The kernel's log as far as it follows from what we know: what is decoded when a device is opened, and what the SMMU stopped.

import type { IommuFault } from '@irqkit/core';

/** Event numbers by name: Arm IHI 0070, 7.3. */
const EVENTS: Readonly<Record<string, number>> = {
  F_TRANSLATION: 0x10,
  F_ADDR_SIZE: 0x11,
  F_ACCESS: 0x12,
  F_PERMISSION: 0x13,
};
const RECORD = /^arm-smmu-v3 \S+: 0x([0-9a-f]{16})$/;
const RECEIVED = /^arm-smmu-v3 \S+: event 0x([0-9a-f]+) received:$/;

/** Linux's lines, with the words of each SMMU record as a line of what it says. */
export function recordedLines(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const words = lines.slice(i + 1, i + 5).map((line) => RECORD.exec(line)?.[1]);
    if (!RECEIVED.test(lines[i]) || words.length < 4 || words.includes(undefined)) out.push(lines[i]);
    else {
      out.push(eventLine(words as readonly string[]));
      i += 4;
    }
  }
  return out;
}

/** StreamID is [63:32], the event [7:0] of the first doubleword, RnW bit 99, InputAddr the third. */
function eventLine(words: readonly string[]): string {
  const event = parseInt(words[0].slice(14), 16);
  const sid = parseInt(words[0].slice(0, 8), 16);
  const reads = (parseInt(words[1].slice(0, 8), 16) >>> 3) & 1;
  return shown(event, sid, Number(`0x${words[2]}`), reads === 0);
}

export function faultLine({ event, id, address, write }: IommuFault): string {
  return shown(EVENTS[event] ?? 0, id, address, write);
}

function shown(event: number, sid: number, address: number | undefined, write: boolean | undefined): string {
  return `event 0x${event.toString(16)} sid 0x${sid.toString(16)} ${write ? 'write' : 'read'} 0x${address?.toString(16)}`;
}

/** @linux pci_enable_resources */
export function enabledLine(name: string, before: number, after: number): string {
  const digits = (value: number): string => value.toString(16).padStart(4, '0');
  return `vfio-pci ${name}: enabling device (${digits(before)} -> ${digits(after)})`;
}
