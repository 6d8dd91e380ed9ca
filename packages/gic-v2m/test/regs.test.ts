// SPDX-License-Identifier: Apache-2.0
// Offsets and bit ranges against literals typed from Arm DEN 0029 (SBSA), appendix "GICv2m architecture".
import { regs } from '@irqkit/gic-v2m';

it('pins every register to its offset', () => {
  const { MSI_TYPER, MSI_SETSPI_NS, MSI_IIDR } = regs;
  expect([MSI_TYPER.offset, MSI_SETSPI_NS.offset, MSI_IIDR.offset]).toEqual([0x008, 0x040, 0xfcc]);
});

it('pins every field to its bits', () => {
  const { MSI_TYPER, MSI_SETSPI_NS, MSI_IIDR } = regs;
  const { BASE_SPI, NUM_SPIS } = MSI_TYPER;
  const { Implementer, Revision, Architecture, Product } = MSI_IIDR;
  const bits = [BASE_SPI, NUM_SPIS, MSI_SETSPI_NS.SPI, Implementer, Revision, Architecture, Product];
  expect(bits.map(({ hi, lo }) => [hi, lo])).toEqual([
    [25, 16],
    [9, 0],
    [9, 0],
    [11, 0],
    [15, 12],
    [19, 16],
    [31, 20],
  ]);
});

it('pins the bounds of SPIs', () => {
  expect([regs.FIRST_SPI, regs.SPI_LIMIT]).toEqual([32, 1019]);
});
