// SPDX-License-Identifier: Apache-2.0
// A GICv3 as software leaves it that wants every interrupt: awake, in Group 1, unmasked.

import { regs } from '@irqkit/gic-v3';
import { GICD, Machine } from './machine.js';
import type { MachineFacts } from './machine.js';

export const PRIORITY = 0xa0;
/** LPI tables: configuration, and a pending table of 64 KiB for each processor. */
export const PROPBASE = 0x4010_0000;
export const PENDBASE = 0x4020_0000;
export const LPI_ENABLED = 0xa1;

export function pendingTable(cpu: number): number {
  return PENDBASE + cpu * 0x1_0000;
}

/** Every interrupt in Group 1 with one priority, disabled. */
export function upAndRunning(facts: MachineFacts = {}): Machine {
  const machine = new Machine(facts);
  machine.write(GICD, 0x13);
  for (let word = 1; word < 32; word++) machine.write(GICD + 0x80 + word * 4, 0xffff_ffff);
  for (let word = 0; word < 32; word++) machine.write(GICD + 0x1000 + word * 4, 0xffff_ffff);
  for (let i = 32; i < 1020; i += 4) machine.write(GICD + 0x400 + i, 0xa0a0_a0a0);
  for (let i = 0; i < 1024; i += 4) machine.write(GICD + 0x2000 + i, 0xa0a0_a0a0);
  for (let cpu = 0; cpu < machine.cpus.count; cpu++) {
    machine.write(machine.rd(cpu) + 0x14, 0);
    for (let word = 0; word < 3; word++) machine.write(machine.sgi(cpu) + 0x80 + word * 4, 0xffff_ffff);
    for (let i = 0; i < 96; i += 4) machine.write(machine.sgi(cpu) + 0x400 + i, 0xa0a0_a0a0);
    machine.msr(cpu, regs.ICC_PMR_EL1, 0xf0);
    machine.msr(cpu, regs.ICC_IGRPEN1_EL1, 1);
  }
  return machine;
}

/** The same with LPIs of 16 bits enabled on every processor; none of them is by its configuration. */
export function withLpis(facts: MachineFacts = {}): Machine {
  const machine = upAndRunning(facts);
  for (let cpu = 0; cpu < machine.cpus.count; cpu++) enableLpis(machine, cpu);
  return machine;
}

export function enableLpis(machine: Machine, cpu: number): void {
  machine.write64(machine.rd(cpu) + 0x70, PROPBASE + 0x780 + 15, 0);
  machine.write64(machine.rd(cpu) + 0x78, pendingTable(cpu) + 0x780, 0);
  machine.write(machine.rd(cpu), 1);
}

/** Writes an LPI's byte of the configuration table; what is cached stays. */
export function configureLpi(machine: Machine, intid: number, byte: number): void {
  machine.memory.setByte(PROPBASE + intid - 8192, byte);
}

export function acknowledge(machine: Machine, cpu: number): number {
  return machine.mrs(cpu, regs.ICC_IAR1_EL1);
}

export function end(machine: Machine, cpu: number, intid: number): void {
  machine.msr(cpu, regs.ICC_EOIR1_EL1, intid);
}
