import { bulk } from './bulk/repertoire.js';
import { quickbooks } from './quickbooks/repertoire.js';
import type { Repertoire } from './repertoire.js';
import { stripe } from './stripe/repertoire.js';

/** Whom a story is about; `bulk`: about QuickBooks, where many orders are invoiced at a time. */
export const PROVIDERS = ['qbo', 'stripe', 'bulk'] as const;
export type Provider = (typeof PROVIDERS)[number];

export const repertoires: Readonly<Record<Provider, Repertoire>> = { qbo: quickbooks, stripe, bulk };
