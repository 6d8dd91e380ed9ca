// SPDX-License-Identifier: Apache-2.0
// Claims to tell devices apart, and does not look who writes.

import { toyPlugin } from '../toys/toy-driver.js';

export const falseRemapping = toyPlugin({ claimsRemapping: true });
