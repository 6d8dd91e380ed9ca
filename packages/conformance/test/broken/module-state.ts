// SPDX-License-Identifier: Apache-2.0
// Keeps its vectors in the module, for all hosts there are.

import { toyPlugin } from '../toys/toy-driver.js';
import { VectorPool } from '../toys/vector-pool.js';

const pool = new VectorPool();

export const moduleState = toyPlugin({ pool: () => pool });
