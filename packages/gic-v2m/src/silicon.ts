// SPDX-License-Identifier: Apache-2.0

import type { Silicon } from '@irqkit/core';

/** The frame of QEMU's `virt`: 64 SPIs from INTID 80. As read in a Linux 6.1 boot under QEMU 7.2 (shared data, replay/B). */
export const VIRT_SILICON = { MSI_TYPER: 0x0050_0040, MSI_IIDR: 0x0510_0000 } as const satisfies Silicon;
