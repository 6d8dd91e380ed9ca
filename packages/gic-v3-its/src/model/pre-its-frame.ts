// SPDX-License-Identifier: Apache-2.0
// A pre-ITS's window: it makes a DeviceID of the address and passes the EventID on to the ITS behind it.

import type { AccessSize, Doorbell, MmioModel, ModelLog } from '@irqkit/core';
import { PRE_ITS_STRIDE } from '../description/pre-its.js';
import type { Translation } from './translation.js';

export class PreItsFrame implements MmioModel {
  readonly #doorbell: Doorbell;
  readonly #log: ModelLog;

  constructor(translation: Translation, log: ModelLog) {
    this.#doorbell = translation.doorbell;
    this.#log = log;
  }

  read(): number {
    return 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size === 4 && offset % PRE_ITS_STRIDE === 0) this.#doorbell.signal(offset / PRE_ITS_STRIDE, value);
    else this.#log.guest('pre-ITS write of %d bytes at 0x%x', size, offset);
  }
}
