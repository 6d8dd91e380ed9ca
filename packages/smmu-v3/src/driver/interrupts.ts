// SPDX-License-Identifier: Apache-2.0
// The SMMU's own interrupts: its wires, by the names of the devicetree binding arm,smmu-v3.yaml (Linux 6.1), or where it sends
// messages (IDR0.MSI) and has an `msi-parent`, MSIs. Those go to the doorbell's physical address. IHI 0070, section 3.18.

import { highWord, lowWord } from '@irqkit/bits';
import { LinuxError, PlatformDevice } from '@irqkit/core';
import type { InterruptSpec, IrqHandler, MmioRegion, MsiMsg, ProbeContext } from '@irqkit/core';
import {
  EVENTQ_IRQ_CFG0,
  EVENTQ_IRQ_CFG1,
  EVENTQ_IRQ_CFG2,
  GERROR_IRQ_CFG0,
  GERROR_IRQ_CFG1,
  GERROR_IRQ_CFG2,
  MEMATTR,
  PRIQ_IRQ_CFG0,
} from '../regs.js';
import type { SmmuFeatures } from './smmu-features.js';

export interface InterruptHandlers {
  /** False where it told of nothing. */
  readonly errors: () => boolean;
  readonly events: () => void;
}

type Sources = 'eventq' | 'gerror' | 'combined';

/** By the vectors' indexes. @linux arm_smmu_msi_cfg */
const MSI_REGISTERS = [
  [EVENTQ_IRQ_CFG0.offset, EVENTQ_IRQ_CFG1.offset, EVENTQ_IRQ_CFG2.offset],
  [GERROR_IRQ_CFG0.offset, GERROR_IRQ_CFG1.offset, GERROR_IRQ_CFG2.offset],
] as const;

export class SmmuInterrupts {
  readonly #context: ProbeContext;
  readonly #features: SmmuFeatures;
  readonly #platform: PlatformDevice | undefined;
  readonly #wires = new Map<Sources, number>();

  /** Finds them; nothing is requested. @throws LinuxError EPROBE_DEFER before their controller is there */
  constructor(context: ProbeContext, features: SmmuFeatures) {
    this.#context = context;
    this.#features = features;
    this.#platform = features.msi ? this.#findPlatform() : undefined;
    for (const name of ['combined', 'eventq', 'gerror'] as const) this.#mapWire(name);
  }

  /** @linux arm_smmu_setup_irqs, between the disabling and the enabling of IRQ_CTRL */
  request(registers: MmioRegion, { errors, events }: InterruptHandlers): void {
    const onEvents = (): boolean => {
      events();
      return true;
    };
    const combined = this.#wires.get('combined');
    if (combined !== undefined) {
      this.#request(combined, () => [errors(), onEvents()].includes(true), 'arm-smmu-v3-combined-irq');
      return;
    }
    const [eventq = this.#wires.get('eventq'), gerror = this.#wires.get('gerror')] = this.#enableMsis(registers);
    if (eventq === undefined) this.#warn('no eventq interrupt: events will not be reported');
    else this.#request(eventq, onEvents, 'arm-smmu-v3-evtq');
    if (gerror === undefined) this.#warn('no gerror interrupt: errors will not be reported');
    else this.#request(gerror, errors, 'arm-smmu-v3-gerror');
  }

  /** The virqs by index; none where there are no MSIs to be had. @linux arm_smmu_setup_msis */
  #enableMsis(registers: MmioRegion): readonly (number | undefined)[] {
    registers.write64(GERROR_IRQ_CFG0.offset, 0, 0);
    registers.write64(EVENTQ_IRQ_CFG0.offset, 0, 0);
    if (this.#features.pri) registers.write64(PRIQ_IRQ_CFG0.offset, 0, 0);
    const platform = this.#platform;
    if (!platform) return [];
    const program = (index: number, { address, data }: MsiMsg): void => {
      const [cfg0, cfg1, cfg2] = MSI_REGISTERS[index];
      registers.write64(cfg0, lowWord(address), highWord(address));
      registers.write(cfg1, data, 4);
      registers.write(cfg2, MEMATTR.DEVICE_nGnRE, 4);
    };
    try {
      const virqs = platform.enableMsi(MSI_REGISTERS.length, program);
      this.#context.devres.add(() => platform.disableMsi());
      return virqs;
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      this.#warn(`falls back to wired interrupts: ${error.message}`);
      return [];
    }
  }

  #findPlatform(): PlatformDevice | undefined {
    const { irqs, node } = this.#context;
    try {
      const platform = new PlatformDevice(irqs, node);
      return platform.msiDomain ? platform : undefined;
    } catch (error) {
      if (!LinuxError.is(error, 'ENODEV')) throw error;
      this.#warn(`falls back to wired interrupts: ${error.message}`);
      return undefined;
    }
  }

  #request(virq: number, handler: IrqHandler, name: string): void {
    const { irqs, devres } = this.#context;
    irqs.requestIrq(virq, handler, name);
    devres.add(() => irqs.freeIrq(virq, handler));
  }

  #mapWire(name: Sources): void {
    const spec = this.#specOf(name);
    const { irqs, devres } = this.#context;
    if (!spec) return;
    try {
      const virq = irqs.createMapping(spec);
      devres.add(() => {
        if (irqs.irqDesc(virq).actions.length === 0) irqs.freeIrqs(virq, 1);
      });
      this.#wires.set(name, virq);
    } catch (error) {
      if (!LinuxError.is(error, 'ENODEV')) throw error;
      this.#warn(error.message);
    }
  }

  #specOf(name: Sources): InterruptSpec | undefined {
    const { node } = this.#context;
    const index = node.strings('interrupt-names')?.indexOf(name) ?? -1;
    return index < 0 ? undefined : node.interrupts[index];
  }

  #warn(message: string): void {
    this.#context.log.warn(`${this.#context.node.path}: ${message}`);
  }
}
