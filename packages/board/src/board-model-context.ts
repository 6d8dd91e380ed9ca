// SPDX-License-Identifier: Apache-2.0
// What one model's constructor is given.

import {
  LinuxError,
  CPU_IRQS,
  DMA,
  DMA_PORTS,
  INTERRUPT_PARENT,
  INTERRUPTS,
  MODEL_LOG,
  NODE,
  PLUGGED,
  SILICON,
} from '@irqkit/core';
import type {
  Dma,
  DmaPorts,
  FirmwareNode,
  InterruptControllerModel,
  IrqLine,
  ModelContext,
  ModelLog,
  Silicon,
} from '@irqkit/core';
import type { Models } from './models.js';
import type { Switchboard } from './wires/switchboard.js';

/** The tokens that inject one member. */
export const MODEL_TOKENS = [
  [NODE, 'node'],
  [SILICON, 'silicon'],
  [DMA, 'dma'],
  [CPU_IRQS, 'cpuIrqs'],
  [INTERRUPTS, 'interrupts'],
  [INTERRUPT_PARENT, 'interruptParent'],
  [DMA_PORTS, 'ports'],
  [PLUGGED, 'plugged'],
  [MODEL_LOG, 'log'],
] as const;

export interface ContextParts {
  readonly node: FirmwareNode;
  readonly silicon: Silicon;
  readonly dma: Dma;
  readonly cpuIrqs: readonly IrqLine[];
  readonly mpidr: readonly number[];
  readonly ports: DmaPorts;
  readonly plugged: readonly unknown[];
  readonly log: ModelLog;
}

export class BoardModelContext implements ModelContext {
  readonly node: FirmwareNode;
  readonly silicon: Silicon;
  readonly dma: Dma;
  readonly cpuIrqs: readonly IrqLine[];
  readonly mpidr: readonly number[];
  readonly ports: DmaPorts;
  readonly plugged: readonly unknown[];
  readonly log: ModelLog;
  readonly #models: Models;
  readonly #wires: Switchboard;

  constructor(parts: ContextParts, models: Models, wires: Switchboard) {
    this.node = parts.node;
    this.silicon = parts.silicon;
    this.dma = parts.dma;
    this.cpuIrqs = parts.cpuIrqs;
    this.mpidr = parts.mpidr;
    this.ports = parts.ports;
    this.plugged = parts.plugged;
    this.log = parts.log;
    this.#models = models;
    this.#wires = wires;
  }

  get interrupts(): readonly IrqLine[] {
    return this.#wires.wiresOf(this.node);
  }

  get interruptParent(): InterruptControllerModel {
    const parent = this.node.interruptParent;
    if (!parent) throw new LinuxError('ENODEV', `${this.node.path}: no interrupt parent`);
    return this.controller(parent);
  }

  controller(node: FirmwareNode): InterruptControllerModel {
    return this.#models.controller(node, this.node);
  }
}
