// SPDX-License-Identifier: Apache-2.0
// What the recorder did to a device besides ioctls: reads and writes of its regions, DMA by it, and looking at its hardware.

import { alignUp, field } from '@irqkit/bits';
import { physAddr } from '@irqkit/core';
import type { PhysAddr } from '@irqkit/core';
import type { PciDevice, PciEndpoint } from '@irqkit/pci';
import type { VfioMachine } from './machine.js';
import { PAGE_BYTES } from './played-process.js';
import type { PlayedProcess } from './played-process.js';
import type { VfioRecord } from './recording.js';

/** What a call answered, in the recorder's terms. */
export interface Outcome {
  readonly ret: number;
  readonly output?: Readonly<Record<string, unknown>>;
}

const REGION_BYTES = 2 ** 40;
const CONFIG_REGION = 7;
const MSI = 0x05;
const MSIX = 0x11;
// PCI Express Base Specification 7.7.1.2, 7.7.2.2 and 7.7.2.3.
const MSI_CONTROL = { MSI_Enable: field(0), Multiple_Message_Enable: field(6, 4), Address_64bit_Capable: field(7) };
const MSIX_CONTROL = { Table_Size: field(10, 0), Function_Mask: field(14), MSIX_Enable: field(15) };
const MSIX_TABLE = { BIR: field(2, 0), Offset: field(31, 3) };
const MSIX_ENTRY_BYTES = 16;
/** Of these the recorder noted as many entries at most. */
const NOTED_ENTRIES = 8;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** `config-read`, `bar-pread`. @throws LinuxError */
export function readRegion({ object, input, call }: VfioRecord, played: PlayedProcess): Outcome {
  const into = new Uint8Array(input.integer('size'));
  const index = call === 'config-read' ? CONFIG_REGION : input.integer('bar');
  const ret = played.process.read(played.fd(object), index * REGION_BYTES + input.word('off'), into);
  return { ret, output: { val: hex(into.reduceRight((value, byte) => value * 256 + byte, 0)) } };
}

/** `config-write`, and `bar-pwrite` of four bytes. @throws LinuxError */
export function writeRegion({ object, input, call }: VfioRecord, played: PlayedProcess): Outcome {
  const isConfig = call === 'config-write';
  const value = input.word('val');
  const from = Uint8Array.from({ length: isConfig ? input.integer('size') : 4 }, (_, i) => (value >>> (8 * i)) & 0xff);
  const index = isConfig ? CONFIG_REGION : input.integer('bar');
  return { ret: played.process.write(played.fd(object), index * REGION_BYTES + input.word('off'), from) };
}

/** `bar-mmap`: maps a BAR, as a process does before it drives the device. @throws LinuxError */
export function mmapBar({ object, input }: VfioRecord, played: PlayedProcess, machine: VfioMachine): Outcome {
  const base = mapWholeBar(object, input.integer('bar'), played, machine);
  return { ret: 0, output: { id: hex(machine.board.access.read(base, 4, 0)) } };
}

/** `bar-mmap-msix-table`: the first entries, as they are in the mapping. @throws LinuxError */
export function mmapTable({ object, input }: VfioRecord, played: PlayedProcess, machine: VfioMachine): Outcome {
  const device = machine.device(object);
  const base = mapWholeBar(object, input.integer('bar'), played, machine) + tablePlace(device).offset;
  const entry = (v: number): Readonly<Record<string, string>> => {
    const word = (at: number): string =>
      hex(machine.board.access.read(physAddr(base + MSIX_ENTRY_BYTES * v + at), 4, 0));
    return { addr_lo: word(0), addr_hi: word(4), data: word(8), ctrl: word(12) };
  };
  return { ret: 0, output: { v0: entry(0), v1: entry(1) } };
}

/** Where it is in physical memory, as the process's page tables say. */
function mapWholeBar(name: string, bar: number, played: PlayedProcess, machine: VfioMachine): PhysAddr {
  const { sizeBytes } = machine.device(name).barRegion(bar);
  const access = { read: true, write: true };
  const fd = played.fd(name);
  const at = played.process.mmap(fd, bar * REGION_BYTES, alignUp(sizeBytes, PAGE_BYTES), access, played.nextBarAt());
  return played.process.mm.physOf(at) ?? physAddr(0);
}

function tablePlace(device: PciDevice): { readonly bir: number; readonly offset: number; readonly nvec: number } {
  const at = device.findCapability(MSIX) ?? 0;
  const place = device.readConfig(at + 4, 4);
  const nvec = MSIX_CONTROL.Table_Size(device.readConfig(at + 2, 2)) + 1;
  return { bir: MSIX_TABLE.BIR(place), offset: MSIX_TABLE.Offset(place) * 8, nvec };
}

/** The device reads or writes memory; its own memory takes zeros where a read is not answered, as the recorded device's does. */
export function deviceDma({ object, input }: VfioRecord, played: PlayedProcess, machine: VfioMachine): Outcome {
  const model = machine.model(object) as PciEndpoint;
  if (!input.has('iova')) {
    const address = input.has('addr') ? input.address('addr') : 0x800_0040;
    const data = input.has('data') ? input.word('data') : 0;
    model.dmaStore(address, new Uint8Array(Uint32Array.of(data).buffer));
    return { ret: 0, output: {} };
  }
  const address = input.address('iova');
  const target = played.targetOf(address);
  if (input.has('len')) return { ret: 0, output: { first_half_written: straddle(model, address, played, target) } };
  return { ret: 0, output: dma(model, address, played, target, input.string('op') === 'device-read') };
}

const TARGET = 0x1122_3344;
const DEVICE = 0x5566_7788;

function dma(model: PciEndpoint, address: number, played: PlayedProcess, target: number | undefined, reads: boolean) {
  if (target !== undefined) storeWord(played, target, TARGET);
  const word = new Uint8Array(Uint32Array.of(DEVICE).buffer);
  if (reads) {
    if (!model.dmaLoad(address, word)) word.fill(0);
    const [got] = new Uint32Array(word.buffer);
    return {
      device_got_target: Number(got === TARGET),
      device_kept_old: Number(got === DEVICE),
      device_got_zero: Number(got === 0),
    };
  }
  model.dmaStore(address, word);
  const changed = target !== undefined && loadWord(played, target) === DEVICE;
  return { target_changed: Number(changed), target_unchanged: Number(!changed) };
}

// The recorded device writes four bytes at a time.
function straddle(model: PciEndpoint, address: number, played: PlayedProcess, target: number | undefined): number {
  const word = new Uint8Array(Uint32Array.of(DEVICE).buffer);
  model.dmaStore(address, word);
  model.dmaStore(address + 4, word);
  return Number(target !== undefined && loadWord(played, target) === DEVICE);
}

function storeWord(played: PlayedProcess, vaddr: number, value: number): void {
  played.process.mm.write(vaddr, new Uint8Array(Uint32Array.of(value).buffer));
}

function loadWord(played: PlayedProcess, vaddr: number): number {
  const word = new Uint8Array(4);
  played.process.mm.read(vaddr, word);
  return new Uint32Array(word.buffer)[0];
}

/** `hw-readback`: Command, and the MSI and MSI-X registers and entries, past VFIO. */
export function readHardware({ input }: VfioRecord, machine: VfioMachine): Outcome {
  const device = machine.device(input.string('bdf'));
  const msi = device.findCapability(MSI);
  const msix = device.findCapability(MSIX);
  return {
    ret: 0,
    output: {
      command: hexOf(device.readConfig(4, 2), 4),
      ...(msi !== undefined && { msi: msiOf(device, msi) }),
      ...(msix !== undefined && { msix: msixOf(device, msix, machine) }),
    },
  };
}

function msiOf(device: PciDevice, at: number): Readonly<Record<string, unknown>> {
  const control = device.readConfig(at + 2, 2);
  const is64 = MSI_CONTROL.Address_64bit_Capable(control) === 1;
  const high = is64 ? device.readConfig(at + 8, 4) : 0;
  return {
    enabled: MSI_CONTROL.MSI_Enable(control),
    mme: 2 ** MSI_CONTROL.Multiple_Message_Enable(control),
    ctrl: hexOf(control, 4),
    addr: hex(high * 2 ** 32 + device.readConfig(at + 4, 4)),
    data: hex(device.readConfig(at + (is64 ? 12 : 8), 2)),
  };
}

function msixOf(device: PciDevice, at: number, machine: VfioMachine): Readonly<Record<string, unknown>> {
  const control = device.readConfig(at + 2, 2);
  const { bir, offset, nvec } = tablePlace(device);
  const { base } = device.barRegion(bir);
  const word = (v: number, field: number): number =>
    machine.board.access.read(physAddr(base + offset + MSIX_ENTRY_BYTES * v + field), 4, 0);
  return {
    ctrl: hexOf(control, 4),
    enabled: MSIX_CONTROL.MSIX_Enable(control),
    fmask: MSIX_CONTROL.Function_Mask(control),
    nvec,
    table_bir: bir,
    table_off: hex(offset),
    table: Array.from({ length: Math.min(nvec, NOTED_ENTRIES) }, (_, v) => ({
      v,
      addr: hex(word(v, 4) * 2 ** 32 + word(v, 0)),
      data: hex(word(v, 8)),
      ctrl: hex(word(v, 12)),
    })),
  };
}

function hexOf(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
