// SPDX-License-Identifier: Apache-2.0
// Registers of a GICv2m MSI frame. Arm DEN 0029 (SBSA), appendix "GICv2m architecture".

import { field } from '@irqkit/bits';

/** The first SPI's INTID and how many SPIs the frame has. */
export const MSI_TYPER = { offset: 0x008, BASE_SPI: field(25, 16), NUM_SPIS: field(9, 0) } as const;
/** A write raises the SPI of that INTID. */
export const MSI_SETSPI_NS = { offset: 0x040, SPI: field(9, 0) } as const;
export const MSI_IIDR = {
  offset: 0xfcc,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Architecture: field(19, 16),
  Product: field(31, 20),
} as const;

export const FIRST_SPI = 32;
/** Linux 6.1 takes no SPI whose end lies beyond this. @linux V2M_MAX_SPI */
export const SPI_LIMIT = 1019;
