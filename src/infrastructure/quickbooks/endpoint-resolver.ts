import { type EndpointResolver, intuitEndpoints, type QboEndpoints } from './endpoints.js';

/** A simulator of this process and the companies that it keeps. */
export interface LocalCompanies {
  readonly realmIds: readonly string[];
  readonly endpoints: QboEndpoints;
}

/** The environment's overrides count for everyone; the local simulator for its own companies; Intuit for the rest. */
export function endpointResolver(
  overrides: { readonly [Name in keyof QboEndpoints]: string | undefined },
  local: LocalCompanies | undefined,
): EndpointResolver {
  return ({ environment, realmId, simulated }) => {
    const isLocal = simulated ?? local?.realmIds.includes(realmId);
    const standard = local && isLocal ? local.endpoints : intuitEndpoints(environment);
    return {
      apiBaseUrl: overrides.apiBaseUrl ?? standard.apiBaseUrl,
      tokenUrl: overrides.tokenUrl ?? standard.tokenUrl,
      authorizeUrl: overrides.authorizeUrl ?? standard.authorizeUrl,
      revokeUrl: overrides.revokeUrl ?? standard.revokeUrl,
    };
  };
}
