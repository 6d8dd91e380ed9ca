// SPDX-License-Identifier: Apache-2.0

import type { Rig } from '../rig/rig.js';
import { msiVectors } from '../sources/msi-vectors.js';
import type { Source } from '../sources/source.js';
import { wiredInputs } from '../sources/wired-inputs.js';
import type { Subject } from './capabilities.js';

/** Interrupts of every kind that the controller supports. */
export function openEverything(subject: Subject, rig: Rig): readonly Source[] {
  return [msiVectors(subject.nrVectors), wiredInputs]
    .filter((kind) => subject.supports(kind.name))
    .flatMap((kind) => kind.open(rig));
}
