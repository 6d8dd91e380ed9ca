// SPDX-License-Identifier: Apache-2.0
// One of two files, so that two workers share the campaign.

import { corpus } from './corpus.js';
import { describeCorruption } from './corruption.js';

describeCorruption(
  'damaged trees',
  corpus.filter((_, index) => index % 2 === 0),
);
