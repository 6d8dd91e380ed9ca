// SPDX-License-Identifier: Apache-2.0
// GERROR and GERRORN. Arm IHI 0070, section 7.5 "Global error recording": an error is active while the bits differ.

import { GERROR } from '../regs.js';
import type { Notifier } from './notifier.js';

const { CMDQ_ERR, EVENTQ_ABT_ERR, PRIQ_ABT_ERR, MSI_CMDQ_ABT_ERR, MSI_EVENTQ_ABT_ERR } = GERROR;
const { MSI_PRIQ_ABT_ERR, MSI_GERROR_ABT_ERR, SFM_ERR } = GERROR;
const DEFINED =
  CMDQ_ERR.mask |
  EVENTQ_ABT_ERR.mask |
  PRIQ_ABT_ERR.mask |
  MSI_CMDQ_ABT_ERR.mask |
  MSI_EVENTQ_ABT_ERR.mask |
  MSI_PRIQ_ABT_ERR.mask |
  MSI_GERROR_ABT_ERR.mask |
  SFM_ERR.mask;

export class GlobalErrors {
  gerror = 0;
  #gerrorn = 0;
  readonly #notifier: Notifier;

  constructor(notifier: Notifier) {
    this.#notifier = notifier;
  }

  get gerrorn(): number {
    return this.#gerrorn;
  }

  // CHOICE: toggling the bit of an error that is not active activates it.
  set gerrorn(value: number) {
    this.#gerrorn = value & DEFINED;
  }

  /** `mask` is one of GERROR's fields in place. */
  isActive(mask: number): boolean {
    return ((this.gerror ^ this.#gerrorn) & mask) !== 0;
  }

  /** Nothing while the same error is active. */
  activate(mask: number): void {
    if (this.isActive(mask)) return;
    this.gerror ^= mask;
    if (mask !== MSI_GERROR_ABT_ERR.mask && !this.#notifier.notify()) this.activate(MSI_GERROR_ABT_ERR.mask);
  }
}
