// SPDX-License-Identifier: Apache-2.0
// The parts of an SMMU, put together.

import type { Dma, DmaPorts, FirmwareNode, IrqLine, ModelLog } from '@irqkit/core';
import { IDR1 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import { CommandQueue } from './command-queue.js';
import { CommandSet } from './command-set.js';
import { EventQueue } from './event-queue.js';
import { noFault } from './fault.js';
import { GlobalErrors } from './global-errors.js';
import { Interrupts } from './interrupts.js';
import { Notifier } from './notifier.js';
import { QueueRegisters } from './queue-registers.js';
import { Translation } from './translation.js';

/** Bytes of a page request, section 8.1. */
const PAGE_REQUEST_BYTES = 16;

/** What an SMMU is given. */
export interface SmmuSurroundings {
  readonly node: FirmwareNode;
  readonly dma: Dma;
  readonly interrupts: readonly IrqLine[];
  readonly ports: DmaPorts;
  readonly log: ModelLog;
}

export interface SmmuParts {
  readonly translation: Translation;
  readonly commandSet: CommandSet;
  readonly commandQueue: CommandQueue;
  readonly eventQueue: EventQueue;
  readonly errors: GlobalErrors;
  readonly errorNotifier: Notifier;
  /** The PRI queue's registers, which nothing but software changes. */
  readonly priQueue: QueueRegisters;
  readonly priNotifier: Notifier;
}

export function smmuParts(parameters: SmmuParameters, surroundings: SmmuSurroundings): SmmuParts {
  const { node, dma, log } = surroundings;
  const interrupts = new Interrupts(node, surroundings.interrupts, surroundings.ports);
  const errorNotifier = new Notifier('gerror', interrupts, parameters.msi);
  const errors = new GlobalErrors(errorNotifier);
  const eventQueue = new EventQueue(dma, parameters, new Notifier('eventq', interrupts, parameters.msi), errors);
  const translation = new Translation(dma, parameters, noFault(), eventQueue);
  const commandSet = new CommandSet(parameters, translation, interrupts, errors, log);
  return {
    translation,
    commandSet,
    commandQueue: new CommandQueue(dma, parameters, commandSet, errors, log),
    eventQueue,
    errors,
    errorNotifier,
    priQueue: new QueueRegisters(IDR1.PRIQS(parameters.idr1), PAGE_REQUEST_BYTES),
    priNotifier: new Notifier('priq', interrupts, parameters.msi),
  };
}
