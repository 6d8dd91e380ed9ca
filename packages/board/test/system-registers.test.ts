// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { definePlugin, sysreg } from '@irqkit/core';
import type { ModelContext } from '@irqkit/core';
import { machine, machineTree } from './toys/machine.js';
import { Intc } from './toys/models.js';

const ICC_IAR1_EL1 = sysreg(3, 0, 12, 12, 0);
const ICC_SGI1R_EL1 = sysreg(3, 0, 12, 11, 5);

/** An interrupt controller whose processors reach it by system registers: IAR1 lowers the line, SGI1R raises the other one. */
class SysregIntc extends Intc {
  readonly seen: string[] = [];
  readonly systemRegisters;

  constructor(context: ModelContext) {
    super(context);
    this.systemRegisters = {
      read: (cpu: number, register: number): number => {
        this.seen.push(`read ${register.toString(16)} by ${cpu}`);
        context.cpuIrqs[cpu].set(false);
        return 40 + cpu;
      },
      write: (cpu: number, register: number, lo: number, hi: number): void => {
        this.seen.push(`write ${register.toString(16)} by ${cpu} ${lo} ${hi}`);
        context.cpuIrqs[1 - cpu].set(true);
        this.seen.push('end of write');
      },
    };
  }
}

const intc = definePlugin({
  name: 'sysreg-intc',
  coreApi: 1,
  models: [{ compatible: ['toy,intc'], useFactory: (context) => new SysregIntc(context) }],
});

const boardOf = (): Board => createBoard({ firmware: machineTree(), plugins: [intc] });

test('numbers registers by their encoding', () => {
  expect([ICC_IAR1_EL1, ICC_SGI1R_EL1].map((register) => register.toString(16))).toEqual(['c660', 'c65d']);
});

test('accesses are those of the current processor; what they raise is delivered after them', () => {
  const board = boardOf();
  const { cpus } = board.bus;
  const { seen } = board.models.get('/intc@1000') as SysregIntc;
  cpus.onIrq((cpu) => cpus.runOn(cpu, () => seen.push(`took ${cpus.sysregs!.read(ICC_IAR1_EL1)}`)));
  cpus.sysregs!.write(ICC_SGI1R_EL1, 1, 2);
  expect(seen).toEqual(['write c65d by 0 1 2', 'end of write', 'read c660 by 1', 'took 41']);
  expect(cpus.irqAsserted(1)).toBe(false);
});

test('a board without such a controller has none', () => {
  expect(machine().board.bus.cpus.sysregs).toBeUndefined();
});

test('models are told the affinities of the processors', () => {
  const told: (readonly number[])[] = [];
  const curious = definePlugin({
    name: 'curious',
    coreApi: 1,
    models: [
      {
        compatible: ['toy,intc'],
        useFactory: (context) => {
          told.push(context.mpidr);
          return new Intc(context);
        },
      },
    ],
  });
  createBoard({ firmware: machineTree({ nrCpus: 3 }), plugins: [curious] });
  expect(told).toEqual([[0, 1, 2]]);
});
