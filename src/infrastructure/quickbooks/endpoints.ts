export type IntuitEnvironment = 'SANDBOX' | 'PRODUCTION';

/** The addresses of one Intuit environment, without trailing slashes. */
export interface QboEndpoints {
  /** Everything before `/v3/company/{realmId}`. */
  readonly apiBaseUrl: string;
  readonly tokenUrl: string;
  readonly authorizeUrl: string;
  readonly revokeUrl: string;
}

const OAUTH_ENDPOINTS = {
  tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
  revokeUrl: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
} as const;

/** Intuit's own addresses. Only the API host depends on the environment; for OAuth the client id makes the difference. */
export function intuitEndpoints(environment: IntuitEnvironment): QboEndpoints {
  const apiBaseUrl =
    environment === 'PRODUCTION' ? 'https://quickbooks.api.intuit.com' : 'https://sandbox-quickbooks.api.intuit.com';
  return { apiBaseUrl, ...OAUTH_ENDPOINTS };
}

/** What decides where a company is reached. */
export interface ReachableCompany {
  readonly environment: IntuitEnvironment;
  readonly realmId: string;
  /** Undefined while the credentials are being proven: only the answer tells. */
  readonly simulated: boolean | undefined;
}

export type EndpointResolver = (connection: ReachableCompany) => QboEndpoints;
