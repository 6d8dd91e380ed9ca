// SPDX-License-Identifier: Apache-2.0
// SET_IRQS against Linux 6.1's answers, on a board of models. Expected errnos: the VFIO recording of boot A and
// drivers/vfio/pci/vfio_pci_intrs.c (behaviour).

import { MSI_FLAG } from '@irqkit/core';
import { eduLike, nicLike } from '@irqkit/pci';
import { MASK, Machine, TRIGGER, UNMASK, codeOf, read, words, write } from './machine.js';
import type { MachineFacts } from './machine.js';

const INTX = 0;
const MSI = 1;
const MSIX = 2;
const ERR = 3;
const REQ = 4;
const CONFIG = 7 * 2 ** 40;
const COMMAND = CONFIG + 4;
const EDU_RAISE = 0x60;
const EDU_ACKNOWLEDGE = 0x64;

describe('messages', () => {
  const nic = nicLike({ vectors: 4 });
  let machine: Machine;

  const start = (facts: Partial<MachineFacts> = {}) => {
    machine = new Machine({ endpoints: [nicLike({ vectors: 4 })], ...facts });
    return machine.open();
  };

  afterEach(() => machine.close());

  test('a vector signals its eventfd, once for each message, while the device masters the bus', () => {
    machine = new Machine({ endpoints: [nic] });
    const fd = machine.open();
    const [a, b] = [machine.process.add(), machine.process.add()];
    expect(machine.setEventFds(fd, MSIX, 0, [a, b])).toBe(0);
    nic.raise(0);
    expect(machine.process.taken(a)).toBe(0);
    write(fd, COMMAND, 2, 6);
    nic.raise(0);
    nic.raise(0);
    nic.raise(1);
    expect([machine.process.taken(a), machine.process.taken(b)]).toEqual([2, 1]);
    fd.close();
  });

  test('a vector given -1 is silent and has no message; given an eventfd again it works', () => {
    const model = nicLike({ vectors: 4 });
    const fd = start({ endpoints: [model] });
    const [a, b] = [machine.process.add(), machine.process.add()];
    machine.setEventFds(fd, MSIX, 0, [a, b]);
    write(fd, COMMAND, 2, 6);
    machine.setEventFds(fd, MSIX, 1, [-1]);
    model.raise(1);
    expect(machine.process.taken(b)).toBe(0);
    expect([0, 4, 8].map((at) => model.readBar(3, 16 + at, 4))).toEqual([0, 0, 0]);
    machine.setEventFds(fd, MSIX, 1, [a]);
    model.raise(1);
    expect(machine.process.taken(a)).toBeGreaterThan(0);
    fd.close();
  });

  test('loopback signals what it names, and passes over vectors without an eventfd', () => {
    const fd = start();
    const [a, b] = [machine.process.add(), machine.process.add()];
    machine.setEventFds(fd, MSIX, 0, [a, -1, b]);
    machine.setIrqs(fd, MSIX, 0, 3, TRIGGER);
    expect([machine.process.taken(a), machine.process.taken(b)]).toEqual([1, 1]);
    const bools = words(23, 2 | TRIGGER, MSIX, 0, 3);
    new Uint8Array(bools).set([0, 1, 1], 20);
    fd.ioctl(0x3b6e, bools, machine.process);
    expect([machine.process.taken(a), machine.process.taken(b)]).toEqual([0, 1]);
    expect(codeOf(() => machine.setIrqs(fd, MSIX, 1, 3, TRIGGER))).toBe('EINVAL');
    fd.close();
  });

  test.each([
    ['MASK', MSIX, MASK, 1, 'ENOTTY'],
    ['UNMASK', MSI, UNMASK, 1, 'ENOTTY'],
    ['disabling what is not enabled', MSIX, TRIGGER, 0, 'EINVAL'],
    ['triggering what is not enabled', MSIX, TRIGGER, 1, 'EINVAL'],
    ['two actions', MSIX, MASK | TRIGGER, 1, 'ENOTTY'],
    ['an index that is not there', 5, TRIGGER, 0, 'EINVAL'],
  ])('%s is refused', (_, index, action, count, code) => {
    const fd = start();
    expect(codeOf(() => machine.setIrqs(fd, index, 0, count, action))).toBe(code);
    fd.close();
  });

  test.each([
    ['argsz below the header', words(8, 36, MSIX, 0, 1), 'EINVAL'],
    ['argsz below the data', words(23, 36, MSIX, 0, 1, 10), 'EINVAL'],
    ['two kinds of data', words(24, 37, MSIX, 0, 1, 10), 'EINVAL'],
    ['no kind of data', words(20, 32, MSIX, 0, 1), 'EINVAL'],
    ['a flag that nobody knows', words(20, 97, MSIX, 0, 1), 'EINVAL'],
    ['no eventfds', words(20, 36, MSIX, 0, 0), 'ERANGE'],
    ['a range that wraps', words(28, 36, MSIX, 0xffff_ffff, 2, 10, 10), 'EINVAL'],
    ['a range beyond the vectors', words(28, 36, MSIX, 3, 2, 10, 10), 'EINVAL'],
    ['a descriptor that is not open', words(24, 36, MSIX, 0, 1, 9999), 'EBADF'],
    ['no memory behind the argument', 20, 'EFAULT'],
    ['memory that ends before the data', words(20 + 64, 36, MSIX, 0, 4).slice(0, 30), 'EFAULT'],
  ])('%s: %#', (_, arg, code) => {
    const fd = start();
    expect(codeOf(() => fd.ioctl(0x3b6e, arg, machine.process))).toBe(code);
    expect(machine.host.irqs.all).toEqual([]);
    expect(machine.pci().msiDescs).toEqual([]);
    fd.close();
  });

  test('one kind at a time, and no more vectors than were enabled', () => {
    const fd = start();
    const a = machine.process.add();
    machine.setEventFds(fd, MSIX, 0, [a]);
    expect(codeOf(() => machine.setEventFds(fd, MSI, 0, [a]))).toBe('EINVAL');
    expect(codeOf(() => machine.setEventFds(fd, INTX, 0, [a]))).toBe('EINVAL');
    expect(codeOf(() => machine.setEventFds(fd, MSIX, 1, [a]))).toBe('EINVAL');
    machine.setIrqs(fd, MSIX, 0, 0, TRIGGER);
    expect(machine.setEventFds(fd, MSI, 0, [a, a, a])).toBe(0);
    fd.close();
  });

  test('a block that fails in the middle leaves no eventfd in it; a first one enables nothing', () => {
    const fd = start();
    const [a, b] = [machine.process.add(), machine.process.add()];
    expect(codeOf(() => machine.setEventFds(fd, MSIX, 0, [a, 9999]))).toBe('EBADF');
    expect(machine.host.irqs.all).toEqual([]);
    machine.setEventFds(fd, MSIX, 0, [a, b]);
    expect(codeOf(() => machine.setEventFds(fd, MSIX, 0, [b, 9999]))).toBe('EBADF');
    machine.setIrqs(fd, MSIX, 0, 2, TRIGGER);
    expect([machine.process.taken(a), machine.process.taken(b)]).toEqual([0, 0]);
    fd.close();
  });

  test('a controller that serves one message says so, and nothing is enabled', () => {
    const fd = start({ supportedFlags: MSI_FLAG.PCI_MSIX });
    const a = machine.process.add();
    expect(machine.setEventFds(fd, MSI, 0, [a, a])).toBe(1);
    expect(machine.host.irqs.all).toEqual([]);
    expect(machine.setEventFds(fd, MSI, 0, [a])).toBe(0);
    fd.close();
  });

  test('R19: no room for the vectors is ENOSPC with nothing kept', () => {
    const fd = start({ nrBells: 3 });
    const a = machine.process.add();
    expect(codeOf(() => machine.setEventFds(fd, MSIX, 0, [a, a, a, a]))).toBe('ENOSPC');
    expect(machine.host.irqs.all).toEqual([]);
    expect(machine.setEventFds(fd, MSIX, 0, [a, a, a])).toBe(0);
    fd.close();
  });

  test('vectors can be enabled while memory decoding is off, which it stays', () => {
    const fd = start();
    write(fd, COMMAND, 2, 0);
    const a = machine.process.add();
    expect(machine.setEventFds(fd, MSIX, 0, [a])).toBe(0);
    expect(machine.pci().readConfig(4, 2)).toBe(0);
    fd.close();
  });
});

describe('the interrupt pin', () => {
  const started = () => {
    const edu = eduLike();
    const machine = new Machine({ endpoints: [edu] });
    const fd = machine.open();
    const eventFd = machine.process.add();
    return { edu, machine, fd, eventFd };
  };

  test('signals once and is masked until it is unmasked', () => {
    const { edu, machine, fd, eventFd } = started();
    expect(machine.setEventFds(fd, INTX, 0, [eventFd])).toBe(0);
    edu.writeBar(0, EDU_RAISE, 1, 4);
    expect(machine.process.taken(eventFd)).toBe(1);
    edu.writeBar(0, EDU_ACKNOWLEDGE, 1, 4);
    edu.writeBar(0, EDU_RAISE, 1, 4);
    expect(machine.process.taken(eventFd)).toBe(0);
    machine.setIrqs(fd, INTX, 0, 1, UNMASK);
    expect(machine.process.taken(eventFd)).toBe(1);
    edu.writeBar(0, EDU_ACKNOWLEDGE, 1, 4);
    machine.setIrqs(fd, INTX, 0, 1, UNMASK);
    edu.writeBar(0, EDU_RAISE, 1, 4);
    expect(machine.process.taken(eventFd)).toBe(1);
    fd.close();
    machine.close();
  });

  test('an eventfd can unmask it, one at a time, and cannot mask it', () => {
    const { edu, machine, fd, eventFd } = started();
    const resample = machine.process.add();
    machine.setEventFds(fd, INTX, 0, [eventFd]);
    expect(machine.setEventFds(fd, INTX, 0, [resample], 4 | UNMASK)).toBe(0);
    expect(codeOf(() => machine.setEventFds(fd, INTX, 0, [resample], 4 | UNMASK))).toBe('EBUSY');
    expect(codeOf(() => machine.setEventFds(fd, INTX, 0, [resample], 4 | MASK))).toBe('ENOTTY');
    edu.writeBar(0, EDU_RAISE, 1, 4);
    expect(machine.process.taken(eventFd)).toBe(1);
    machine.process.eventFd(resample).signal();
    expect(machine.process.taken(eventFd)).toBe(1);
    machine.setEventFds(fd, INTX, 0, [-1], 4 | UNMASK);
    machine.process.eventFd(resample).signal();
    expect(machine.process.taken(eventFd)).toBe(0);
    fd.close();
    machine.close();
  });

  test("the user's Interrupt Disable bit masks it, and is read back; the device's own is the host's", () => {
    const { edu, machine, fd, eventFd } = started();
    machine.setEventFds(fd, INTX, 0, [eventFd]);
    write(fd, COMMAND, 2, 0x406);
    expect(read(fd, COMMAND, 2)).toBe(0x406);
    edu.writeBar(0, EDU_RAISE, 1, 4);
    expect(machine.process.taken(eventFd)).toBe(0);
    write(fd, COMMAND, 2, 6);
    expect(machine.process.taken(eventFd)).toBe(1);
    expect(read(fd, COMMAND, 2)).toBe(6);
    expect(machine.pci().readConfig(4, 2)).toBe(0x406);
    fd.close();
    machine.close();
  });

  test('refusals', () => {
    const { machine, fd, eventFd } = started();
    expect(codeOf(() => machine.setIrqs(fd, INTX, 0, 1, MASK))).toBe('EINVAL');
    expect(codeOf(() => machine.setIrqs(fd, INTX, 0, 1, TRIGGER))).toBe('EINVAL');
    expect(codeOf(() => machine.setEventFds(fd, INTX, 0, [eventFd, eventFd]))).toBe('EINVAL');
    expect(codeOf(() => machine.setEventFds(fd, INTX, 0, [9999]))).toBe('EBADF');
    expect(machine.host.irqs.all).toEqual([]);
    fd.close();
    machine.close();
  });
});

test('ERR and REQ take an eventfd, signal it on request and let it go; ERR is for PCI Express only', () => {
  const machine = new Machine({ endpoints: [nicLike({ vectors: 1 }), eduLike()] });
  const [nic, edu] = [machine.open(1), machine.open(2)];
  const a = machine.process.add();
  for (const index of [ERR, REQ]) {
    expect(machine.setEventFds(nic, index, 0, [a])).toBe(0);
    machine.setIrqs(nic, index, 0, 1, TRIGGER);
    expect(machine.process.taken(a)).toBe(1);
    machine.setIrqs(nic, index, 0, 0, TRIGGER);
    expect(codeOf(() => machine.setIrqs(nic, index, 0, 1, TRIGGER))).toBe('EINVAL');
  }
  expect(codeOf(() => machine.setEventFds(edu, ERR, 0, [a]))).toBe('EINVAL');
  expect(machine.setEventFds(edu, REQ, 0, [a])).toBe(0);
  nic.close();
  edu.close();
  machine.close();
});

describe('R22: closing a device', () => {
  test.each([
    ['MSI-X', MSIX],
    ['MSI', MSI],
    ['INTx', INTX],
  ])('with live %s releases everything, and the device can neither signal nor reach memory', (_, index) => {
    const nic = nicLike({ vectors: 2 });
    const machine = new Machine({ endpoints: [nic] });
    const a = machine.process.add();
    const live = () => {
      const fd = machine.open();
      machine.setEventFds(fd, index, 0, [a]);
      write(fd, COMMAND, 2, 6);
      return fd;
    };
    // The first time a controller learns how an input is served, which it keeps.
    live().close();
    const closed = machine.board.save();
    const fd = live();
    if (index === INTX) nic.setIntx(true);
    else nic.raise(0);
    expect(machine.process.taken(a)).toBe(1);
    if (index === INTX) nic.setIntx(false);
    fd.close();
    expect(nic.raise(0)).toBe(false);
    if (index === INTX) nic.setIntx(true);
    expect(machine.process.taken(a)).toBe(0);
    nic.setIntx(false);
    expect(nic.dmaStore(0x4000_0000, new Uint8Array(4))).toBe(false);
    expect(machine.host.irqs.all).toEqual([]);
    expect(machine.board.save()).toEqual(closed);
    machine.close();
  });
});
