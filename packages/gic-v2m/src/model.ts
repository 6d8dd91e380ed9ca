// SPDX-License-Identifier: Apache-2.0
// A GICv2m MSI frame as hardware: writes to its doorbell become edges on SPIs. Arm DEN 0029, appendix "GICv2m architecture".

import { INTERRUPT_PARENT, LinuxError, MODEL_LOG, NODE, SILICON, inject, injectable } from '@irqkit/core';
import type {
  AccessSize,
  FirmwareNode,
  InterruptControllerModel,
  IrqSink,
  MmioModel,
  Model,
  ModelLog,
  Silicon,
  State,
} from '@irqkit/core';
import { spisOfNode, spisOfTyper } from './description/frame.js';
import { FIRST_SPI, MSI_IIDR, MSI_SETSPI_NS, MSI_TYPER } from './regs.js';
import { VIRT_SILICON } from './silicon.js';
import { dataOrigin, variantOfIidr, variantOfNode } from './description/variants.js';

const VERSION = 1;

/** Bytes of the frame in which address-only variants have their doorbells: 1020 INTIDs of 8 bytes fit. */
const ADDRESS_ONLY_BYTES = 0x2000;

/**
 * `silicon`: MSI_TYPER and MSI_IIDR as they read. The frame serves the SPIs of MSI_TYPER, or of the node's overrides: those say
 * that the register is wrong.
 */
@injectable()
export class GicV2mModel implements Model, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  readonly #path: string;
  readonly #typer: number;
  readonly #iidr: number;
  readonly #sink: IrqSink;
  readonly #log: ModelLog;
  readonly #firstSpi: number;
  readonly #nrSpis: number;
  readonly #origin: number;
  readonly #bytesPerSpi: number;

  constructor(
    @inject(NODE) node: FirmwareNode,
    @inject(SILICON) silicon: Silicon,
    @inject(INTERRUPT_PARENT) parent: InterruptControllerModel,
    @inject(MODEL_LOG) log: ModelLog,
  ) {
    const { MSI_TYPER: typer, MSI_IIDR: iidr } = { ...VIRT_SILICON, ...silicon };
    const variant = variantOfNode(node) ?? variantOfIidr(iidr);
    this.#path = node.path;
    this.#typer = typer;
    this.#iidr = iidr;
    this.#sink = parent.sink;
    this.#log = log;
    ({ firstSpi: this.#firstSpi, nrSpis: this.#nrSpis } = spisOfNode(node) ?? spisOfTyper(typer));
    this.#origin = dataOrigin(variant, this.#firstSpi);
    this.#bytesPerSpi = variant.bytesPerSpi;
  }

  read(offset: number, size: AccessSize): number {
    if (this.#bytesPerSpi !== 0) {
      this.#log.guest('GICv2m frame without readable registers read at 0x%x', offset);
      return 0;
    }
    // CHOICE: registers answer word reads only.
    if (size !== 4) return 0;
    switch (offset) {
      case MSI_TYPER.offset:
        return this.#typer;
      case MSI_IIDR.offset:
        return this.#iidr;
      default:
        return 0;
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    // CHOICE: halfwords ring too, as GICv3 requires of its GICM_SETSPI_NSR (IHI 0069); bytes do not.
    if (size === 1) return;
    if (this.#bytesPerSpi === 0) {
      if (offset === MSI_SETSPI_NS.offset) this.#raise((value & MSI_SETSPI_NS.SPI.mask) + this.#origin);
    } else if (offset < ADDRESS_ONLY_BYTES && offset % this.#bytesPerSpi === 0)
      this.#raise(FIRST_SPI + offset / this.#bytesPerSpi);
  }

  // Hot: one bounds check, one edge.
  #raise(intid: number): void {
    const index = intid - this.#firstSpi;
    if (index >= 0 && index < this.#nrSpis) this.#sink.setPending(intid);
    else this.#log.guest('GICv2m: INTID %d is none of the frame', intid);
  }

  /** Nothing is kept in a frame: what was raised is pending in the GIC. */
  save(): State {
    return { version: VERSION };
  }

  /** @throws LinuxError EINVAL for a state of another version. */
  restore(state: State): void {
    if (state.version !== VERSION)
      throw new LinuxError('EINVAL', `${this.#path}: a state of version ${state.version}, this is ${VERSION}`);
  }
}
