// SPDX-License-Identifier: Apache-2.0
// The registers of an SMMU as one array of words, for save and restore.

import type { Notifier } from './notifier.js';
import type { QueueRegisters } from './queue-registers.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

const OWN_WORDS = 8;
const ERROR_WORDS = 3;
const OVERFLOW_WORDS = 2;
const QUEUE_WORDS = 4;
const NOTIFIER_WORDS = 4;

export const STATE_WORDS = OWN_WORDS + ERROR_WORDS + OVERFLOW_WORDS + 3 * QUEUE_WORDS + 3 * NOTIFIER_WORDS;

/** CR0 to STRTAB_BASE_CFG; GERROR, GERRORN and CMDQ_CONS.ERR; the overflow flags; three queues; three interrupts. */
export function saveRegisters(registers: SmmuRegisters, parts: SmmuParts): Uint32Array {
  const { cr0, cr1, cr2, gbpa, irqCtrl, strtabBase, strtabCfg } = registers;
  const { errors, commandQueue, eventQueue } = parts;
  return Uint32Array.of(
    ...[cr0, cr1, cr2, gbpa, irqCtrl, strtabBase[0], strtabBase[1], strtabCfg],
    ...[errors.gerror, errors.gerrorn, commandQueue.error],
    ...[eventQueue.overflow, eventQueue.overflowAcknowledged],
    ...queuesOf(parts).flatMap(({ base, prod, cons }) => [base[0], base[1], prod, cons]),
    ...notifiersOf(parts).flatMap(({ cfg0, cfg1, cfg2 }) => [cfg0[0], cfg0[1], cfg1, cfg2]),
  );
}

/** `words` has STATE_WORDS. */
export function restoreRegisters(words: Uint32Array, registers: SmmuRegisters, parts: SmmuParts): void {
  const { errors, commandQueue, eventQueue } = parts;
  [registers.cr0, registers.cr1, registers.cr2, registers.gbpa, registers.irqCtrl] = words;
  registers.strtabBase.set(words.subarray(5, 7));
  registers.strtabCfg = words[7];
  let at = OWN_WORDS;
  [errors.gerror, errors.gerrorn, commandQueue.error] = words.subarray(at);
  at += ERROR_WORDS;
  [eventQueue.overflow, eventQueue.overflowAcknowledged] = words.subarray(at);
  at += OVERFLOW_WORDS;
  for (const queue of queuesOf(parts)) {
    queue.setBase(words[at], words[at + 1]);
    queue.prod = words[at + 2];
    queue.cons = words[at + 3];
    at += QUEUE_WORDS;
  }
  for (const notifier of notifiersOf(parts)) {
    notifier.setAddress(words[at], words[at + 1]);
    notifier.cfg1 = words[at + 2];
    notifier.cfg2 = words[at + 3];
    at += NOTIFIER_WORDS;
  }
  registers.apply();
}

function queuesOf({ commandQueue, eventQueue, priQueue }: SmmuParts): readonly QueueRegisters[] {
  return [commandQueue.registers, eventQueue.registers, priQueue];
}

function notifiersOf({ errorNotifier, eventQueue, priNotifier }: SmmuParts): readonly Notifier[] {
  return [errorNotifier, eventQueue.notifier, priNotifier];
}
