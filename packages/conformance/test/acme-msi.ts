// SPDX-License-Identifier: Apache-2.0
// The plugin of the README's example.

import { toyPlugin } from './toys/toy-driver.js';

export const acmeMsi = toyPlugin();
