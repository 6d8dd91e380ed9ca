// SPDX-License-Identifier: Apache-2.0
// The SMMU model by hand: command queue and its errors, event queue and its overflow, global errors, interrupts and messages.

import { commands, layouts, regs } from '@irqkit/smmu-v3';
import { CMDQ, EVENTQ, LOG2_QUEUE, recordWords, SmmuRig } from './smmu-rig.js';
import type { RigOptions } from './smmu-rig.js';

const MSI = { IDR0: 0x0d40_301a };
const SYNC = [0x46n, 0n] as const;
const SYNC_IRQ = [0x1046n, 0n] as const;
const ILLEGAL = [0x7fn, 0n] as const;
const { GERROR, GERRORN, CMDQ_CONS, CMDQ_PROD, EVENTQ_PROD, EVENTQ_CONS, CERROR } = regs;
const { F_STE_FETCH, C_BAD_STREAMID } = layouts.EVENT_NUMBER;

function started(options: RigOptions = {}): SmmuRig {
  const rig = new SmmuRig(options);
  rig.start({ strtab: 0x4000_0000n, cfg: 6 });
  return rig;
}

/** A transaction of a StreamID beyond the table: one event. */
const fault = (rig: SmmuRig): number => rig.translate(64, 0n, false);

describe('command queue', () => {
  test('is consumed when CMDQ_PROD is written, also round the end', () => {
    const rig = started();
    for (let i = 0; i < 3; i++) expect(rig.run(...Array.from({ length: 50 }, () => SYNC))).toBe(0);
    // 150 of a queue of 64: past the end twice, wrap bit clear again.
    expect(rig.read(CMDQ_CONS)).toBe(150 % 128);
    expect(rig.read(CMDQ_PROD)).toBe(150 % 128);
  });

  test('waits for CMDQEN', () => {
    const rig = new SmmuRig();
    rig.start({ strtab: 0x4000_0000n, cfg: 6, cr0: 0 });
    rig.run(SYNC, SYNC);
    expect(rig.read(CMDQ_CONS)).toBe(0);
    rig.write(regs.CR0, regs.CR0.CMDQEN.mask);
    expect(rig.read(CMDQ_CONS)).toBe(2);
    expect(rig.read(regs.CR0ACK)).toBe(regs.CR0.CMDQEN.mask);
  });

  test('stops at an illegal command until GERRORN acknowledges; software may mend it in between', () => {
    const rig = started();
    const at = CMDQ + 16;
    rig.ram.write64(CMDQ, SYNC[0]);
    rig.ram.write64(at, ILLEGAL[0]);
    rig.ram.write64(at + 16, SYNC_IRQ[0]);
    rig.write(CMDQ_PROD, 3);
    expect(rig.read(GERROR)).toBe(GERROR.CMDQ_ERR.mask);
    expect(rig.read(CMDQ_CONS)).toBe(CMDQ_CONS.ERR.set(1, CERROR.ILL));
    expect(rig.edges).toMatchObject({ gerror: 1, 'cmdq-sync': 0 });
    rig.write(CMDQ_PROD, 3);
    expect(CMDQ_CONS.RD(rig.read(CMDQ_CONS))).toBe(1);
    rig.ram.write64(at, SYNC[0]);
    rig.write(GERRORN, GERROR.CMDQ_ERR.mask);
    expect(CMDQ_CONS.RD(rig.read(CMDQ_CONS))).toBe(3);
    expect(rig.edges).toMatchObject({ gerror: 1, 'cmdq-sync': 1 });
    expect(rig.guest).toHaveLength(1);
  });

  test('that is not in memory is CERROR_ABT', () => {
    const rig = new SmmuRig();
    rig.write64(regs.CMDQ_BASE, 0x1000n + BigInt(LOG2_QUEUE));
    rig.write(regs.CR0, regs.CR0.CMDQEN.mask);
    rig.write(CMDQ_PROD, 1);
    expect(rig.read(CMDQ_CONS)).toBe(CMDQ_CONS.ERR.set(0, CERROR.ABT));
  });

  test.each([
    ['opcode 0', [0n, 0n]],
    ['CMD_CFGI_STE with SSec', [0x403n, 0n]],
    ['CMD_SYNC with a reserved CS', [0x3046n, 0n]],
    ['CMD_RESUME without stalls', [0x44n, 0n]],
    ['CMD_STALL_TERM without stalls', [0x45n, 0n]],
    ['CMD_ATC_INV without ATS', [0x40n, 0n]],
    ['CMD_PRI_RESP without PRI', [0x41n, 0n]],
    ['CMD_CFGI_VMS_PIDM without MPAM', [0x07n, 0n]],
    ['CMD_TLBI_EL2_ALL without Hyp', [0x20n, 0n]],
    ['CMD_TLBI_EL3_ALL', [0x18n, 0n]],
    ['CMD_TLBI_S12_VMALL without stage 2', [0x28n, 0n]],
    ['CMD_TLBI_SNH_ALL', [0x60n, 0n]],
  ] as const)('%s is CERROR_ILL', (_, command) => {
    expect(started().run(command)).toBe(CERROR.ILL);
  });

  test('prefetches and invalidations of what is not there are taken', () => {
    const rig = started();
    const opcodes = [0x01n, 0x02n, 0x03n, 0x04n, 0x05n, 0x06n, 0x10n, 0x11n, 0x12n, 0x13n, 0x30n];
    expect(rig.run(...opcodes.map((opcode) => [opcode, 0n] as const))).toBe(0);
    expect(commands.COMMAND_NAMES[0x13]).toBe('CMD_TLBI_NH_VAA');
  });

  test('registers that an enable guards keep their value', () => {
    const rig = started();
    rig.write64(regs.CMDQ_BASE, 0n);
    rig.write64(regs.EVENTQ_BASE, 0n);
    rig.write64(regs.STRTAB_BASE, 0n);
    rig.write(regs.STRTAB_BASE_CFG, 0);
    rig.write(regs.CR2, 0);
    rig.write(EVENTQ_PROD, 5);
    rig.write(CMDQ_CONS, 5);
    expect(rig.read(regs.CMDQ_BASE)).toBe(CMDQ + LOG2_QUEUE);
    expect(rig.read(regs.EVENTQ_BASE)).toBe(EVENTQ + LOG2_QUEUE);
    expect(rig.read(regs.STRTAB_BASE)).toBe(0x4000_0000);
    expect(rig.read(regs.STRTAB_BASE_CFG)).toBe(6);
    expect([rig.read(regs.CR2), rig.read(EVENTQ_PROD), rig.read(CMDQ_CONS)]).toEqual([2, 0, 0]);
    expect(rig.guest).toHaveLength(7);
  });
});

describe('event queue', () => {
  test('interrupts when it is no longer empty, and tells of an overflow by OVFLG', () => {
    const rig = started();
    for (let i = 0; i < 64; i++) fault(rig);
    expect(rig.read(EVENTQ_PROD)).toBe(64);
    expect(rig.edges['eventq']).toBe(1);
    fault(rig);
    fault(rig);
    expect(rig.read(EVENTQ_PROD)).toBe((64 | EVENTQ_PROD.OVFLG.mask) >>> 0);
    expect(rig.events()).toHaveLength(64);
    expect(rig.read(EVENTQ_CONS)).toBe((64 | EVENTQ_CONS.OVACKFLG.mask) >>> 0);
    fault(rig);
    expect(rig.events().map(([word]) => Number(word & 0xffn))).toEqual([C_BAD_STREAMID]);
    expect(rig.edges['eventq']).toBe(2);
  });

  test('takes nothing while EVENTQEN is 0', () => {
    const rig = started();
    rig.write(regs.CR0, 0x9);
    fault(rig);
    expect(rig.read(EVENTQ_PROD)).toBe(0);
  });

  test('that is not in memory is EVENTQ_ABT_ERR, and takes nothing until that is acknowledged', () => {
    const rig = started();
    rig.write(regs.CR0, 0);
    rig.write64(regs.EVENTQ_BASE, 0x1000n + 6n);
    rig.write(regs.CR0, 0xd);
    fault(rig);
    expect(rig.read(GERROR)).toBe(GERROR.EVENTQ_ABT_ERR.mask);
    expect(rig.read(EVENTQ_PROD)).toBe(0);
    expect(rig.edges).toMatchObject({ eventq: 0, gerror: 1 });
    fault(rig);
    expect(rig.edges['gerror']).toBe(1);
    rig.write(GERRORN, GERROR.EVENTQ_ABT_ERR.mask);
    fault(rig);
    expect([rig.read(GERROR), rig.edges['gerror']]).toEqual([0, 2]);
  });

  test('a record names the stream and what could not be read', () => {
    const rig = started();
    rig.write(regs.CR0, 0);
    rig.write64(regs.STRTAB_BASE, 0x2000n);
    rig.write(regs.CR0, 0xd);
    rig.translate(3, 0x1234n, true);
    const words = recordWords(rig.events()[0]);
    const { EVENT } = layouts;
    expect([EVENT.number(words), EVENT.StreamID(words), EVENT.FetchAddr(words)]).toEqual([F_STE_FETCH, 3, 0x20c0]);
  });
});

describe('interrupts', () => {
  test('are silent while IRQ_CTRL disables them', () => {
    const rig = started();
    rig.write(regs.IRQ_CTRL, 0);
    expect(rig.read(regs.IRQ_CTRLACK)).toBe(0);
    fault(rig);
    rig.run(ILLEGAL);
    expect(rig.edges).toMatchObject({ eventq: 0, gerror: 0 });
  });

  test('share the wire that is called combined', () => {
    const rig = started({ names: ['combined'] });
    fault(rig);
    rig.run(SYNC_IRQ);
    rig.run(ILLEGAL);
    expect(rig.edges).toEqual({ combined: 3 });
  });

  test('are messages where IDR0.MSI is 1 and an address is set', () => {
    const rig = started({ silicon: MSI });
    rig.write(regs.IRQ_CTRL, 0);
    rig.write64(regs.EVENTQ_IRQ_CFG0, 0x809_0040n);
    rig.write(regs.EVENTQ_IRQ_CFG1, 7);
    rig.write(regs.EVENTQ_IRQ_CFG2, 1);
    rig.write(regs.GERROR_IRQ_CFG0, 0x809_0040);
    rig.write(regs.GERROR_IRQ_CFG1, 8);
    rig.write(regs.IRQ_CTRL, 5);
    rig.write(regs.EVENTQ_IRQ_CFG1, 99);
    expect(rig.read(regs.EVENTQ_IRQ_CFG1)).toBe(7);
    fault(rig);
    rig.run([0x9_0000_1046n, 0x4e20_0000n]);
    rig.run(ILLEGAL);
    expect(rig.messages).toEqual([
      { address: 0x809_0040, data: 7 },
      { address: 0x4e20_0000, data: 9 },
      { address: 0x809_0040, data: 8 },
    ]);
  });

  test('messages that are aborted activate their global errors', () => {
    const rig = started({ silicon: MSI });
    rig.write(regs.IRQ_CTRL, 0);
    rig.write64(regs.EVENTQ_IRQ_CFG0, 0x809_0040n);
    rig.write64(regs.GERROR_IRQ_CFG0, 0x809_0040n);
    rig.write(regs.IRQ_CTRL, 5);
    rig.answersMessages = false;
    fault(rig);
    rig.run([0x1046n, 0x4e20_0000n]);
    const { MSI_CMDQ_ABT_ERR, MSI_EVENTQ_ABT_ERR, MSI_GERROR_ABT_ERR } = GERROR;
    expect(rig.read(GERROR)).toBe(MSI_CMDQ_ABT_ERR.mask | MSI_EVENTQ_ABT_ERR.mask | MSI_GERROR_ABT_ERR.mask);
  });

  test('configuration of messages is RAZ/WI without IDR0.MSI', () => {
    const rig = new SmmuRig();
    rig.write64(regs.EVENTQ_IRQ_CFG0, 0x809_0040n);
    rig.write(regs.GERROR_IRQ_CFG1, 8);
    expect([rig.read(regs.EVENTQ_IRQ_CFG0), rig.read(regs.GERROR_IRQ_CFG1)]).toEqual([0, 0]);
  });
});

describe('gaps', () => {
  test('are told where the ID registers promise more', () => {
    expect(new SmmuRig().unimp).toEqual([]);
    expect(new SmmuRig({ silicon: { IDR0: 0x080d_84ff } }).unimp.length).toBeGreaterThan(5);
  });

  test('other widths and reserved offsets are RAZ/WI', () => {
    const rig = new SmmuRig();
    const [frame] = rig.model.frames;
    const by = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 } as const;
    frame.write(regs.CR0.offset, 0xff, 1, by);
    frame.write(0x8000, 0xff, 4, by);
    expect([frame.read(regs.IDR0.offset, 2, by), frame.read(0x8000, 4, by), rig.read(regs.CR0)]).toEqual([0, 0, 0]);
    expect([0xfd0, 0xfe0, 0xffc].map((offset) => rig.read({ offset }))).toEqual([0x04, 0x84, 0xb1]);
  });
});
