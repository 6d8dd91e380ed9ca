// SPDX-License-Identifier: Apache-2.0
// Known silicon whose messages differ from the architecture's. Facts: Linux 6.1 drivers/irqchip/irq-gic-v2m.c.

import type { FirmwareNode } from '@irqkit/core';
import { FIRST_SPI } from '../regs.js';

export interface V2mVariant {
  readonly name: string;
  /** The MSI_IIDR it is known by. */
  readonly iidr?: number;
  /** Or the `compatible` string: then none of its registers can be read. */
  readonly compatible?: string;
  /** Which INTID the data counts from: 0, that of SPI 0, or that of the frame's first SPI. */
  readonly dataFrom: 'INTID 0' | 'SPI 0' | 'first SPI';
  /**
   * Where not 0, the address tells SPIs apart: SPI n has its own doorbell at n times this many bytes, and the data is 0.
   * Otherwise all SPIs share MSI_SETSPI_NS.
   */
  readonly bytesPerSpi: number;
}

/** As the architecture has it: the data is the INTID. */
export const ARM_V2M: V2mVariant = { name: 'arm', dataFrom: 'INTID 0', bytesPerSpi: 0 };

/** The GICv2m of AWS Graviton, which Linux finds by the MADT's OEM id AMAZON; the string is irqkit's own. */
export const GRAVITON_COMPATIBLE = 'amazon,graviton-v2m-frame';

export const V2M_VARIANTS: readonly V2mVariant[] = [
  { name: 'apm-xgene', iidr: 0x0600_0170, dataFrom: 'first SPI', bytesPerSpi: 0 },
  { name: 'brcm-ns2', iidr: 0x0000_013f, dataFrom: 'SPI 0', bytesPerSpi: 0 },
  { name: 'amazon-graviton', compatible: GRAVITON_COMPATIBLE, dataFrom: 'INTID 0', bytesPerSpi: 8 },
];

/** The variant that firmware names; its registers must not be read. */
export function variantOfNode(node: FirmwareNode): V2mVariant | undefined {
  return V2M_VARIANTS.find(({ compatible }) => compatible !== undefined && node.compatible.includes(compatible));
}

/** The variant with this MSI_IIDR, or the architecture's. */
export function variantOfIidr(iidr: number): V2mVariant {
  return V2M_VARIANTS.find((variant) => variant.iidr === iidr) ?? ARM_V2M;
}

/** What is subtracted from an INTID to give the data. */
export function dataOrigin(variant: V2mVariant, firstSpi: number): number {
  switch (variant.dataFrom) {
    case 'INTID 0':
      return 0;
    case 'SPI 0':
      return FIRST_SPI;
    case 'first SPI':
      return firstSpi;
  }
}
