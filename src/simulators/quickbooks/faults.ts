/** How the provider says no. Codes, statuses and wording follow its published error list and recorded answers. */
export interface FaultDescription {
  readonly status: number;
  readonly type: 'ValidationFault' | 'SystemFault' | 'AUTHENTICATION' | 'SERVICE';
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
  /** A field name, an empty string, or absent: which one depends on the code. */
  readonly element?: string;
}

export class ProviderFault extends Error {
  constructor(readonly fault: FaultDescription) {
    super(`${fault.code} ${fault.message}: ${fault.detail ?? ''}`);
  }
}

/** Validation and business errors all arrive as HTTP 400, even "not found" and "stale". */
export function validationFault(code: string, message: string, detail: string, element?: string): ProviderFault {
  const fault: FaultDescription = { status: 400, type: 'ValidationFault', code, message, detail };
  return new ProviderFault(element === undefined ? fault : { ...fault, element });
}

const MADE_INACTIVE =
  "Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, vendors or employees.";

export function unsupported(what: string): ProviderFault {
  return validationFault('500', 'Unsupported Operation', `Operation ${what} is not supported.`);
}

export function objectNotFound(): ProviderFault {
  return validationFault('610', 'Object Not Found', `Object Not Found : ${MADE_INACTIVE}`, '');
}

export function transactionDeleted(): ProviderFault {
  const detail = 'Object Not Found : Another user has deleted this transaction.';
  return validationFault('610', 'Object Not Found', detail, '');
}

export function unknownProperty(entity: string, property: string, known: readonly string[]): ProviderFault {
  const list = known.map((name) => `"${name}"`).join(', ');
  const detail =
    `Property Name:Unrecognized field "${property}" (class com.intuit.schema.finance.v3.${entity}), ` +
    `not marked as ignorable (${known.length} known properties: ${list} [truncated]])\n specified is unsupported or invalid`;
  return validationFault('2010', 'Request has invalid or unsupported property', detail);
}

export function invalidProperty(what: string): ProviderFault {
  const detail = `Property Name:${what} specified is unsupported or invalid`;
  return validationFault('2010', 'Request has invalid or unsupported property', detail);
}

export function requiredMissing(field: string): ProviderFault {
  const message = 'Required param missing, need to supply the required value for the API';
  return validationFault('2020', message, `Required parameter ${field} is missing in the request`, field);
}

export function invalidId(value: string): ProviderFault {
  return validationFault('2030', 'Invalid ID', `Id should be a valid number. Supplied value:${value}`, 'Id');
}

export function invalidReference(): ProviderFault {
  return validationFault('2500', 'Invalid Reference Id', `Invalid Reference Id : ${MADE_INACTIVE}`, '');
}

export function referenceNotFound(list: string, id: string): ProviderFault {
  const detail = `Invalid Reference Id : ${list} element id ${id} not found`;
  return validationFault('2500', 'Invalid Reference Id', detail, '');
}

export function staleObject(): ProviderFault {
  const detail =
    'Stale Object Error : You and another user were working on this at the same time. ' +
    'The other user finished before you did, so your work was not saved.';
  return validationFault('5010', 'Stale Object Error', detail, '');
}

export function businessRule(tail: string): ProviderFault {
  const message = 'A business validation error has occurred while processing your request';
  return validationFault('6000', message, `Business Validation Error: ${tail}`, '');
}

export function oneForeignCurrency(): ProviderFault {
  return businessRule('You can only use one foreign currency per transaction.');
}

export function amountNotProduct(supplied: string): ProviderFault {
  const message = 'Amount calculation incorrect in the request';
  const detail = `${message}. Amount is not equal to UnitPrice * Qty. Supplied value:${supplied}`;
  return validationFault('6070', message, detail, 'Line.Amount');
}

export function docNumberTaken(docNumber: string, type: string, id: string): ProviderFault {
  const detail =
    'Duplicate Document Number Error : You must specify a different number. This number has already been used. ' +
    `DocNumber=${docNumber} is assigned to TxnType=${type} with TxnId=${id}`;
  return validationFault('6140', 'Duplicate Document Number Error', detail, '');
}

export function subscriptionEnded(): ProviderFault {
  const detail =
    'Subscription period has ended or canceled or there was a billing problem : ' +
    "You can't add data to QuickBooks Online Plus because your trial or subscription period ended.";
  return validationFault('6190', 'Invalid Company Status', detail, '');
}

export function periodClosed(): ProviderFault {
  const message = 'Account Period Closed, cannot update through services';
  const detail =
    'The account period has closed and the account books cannot be updated through the QBO Services API. ' +
    'Please use the QBO website to make these changes.';
  return validationFault('6210', message, detail, '');
}

export function deposited(): ProviderFault {
  const detail =
    'This transaction has been deposited. If you want to change or delete it, ' +
    'you must edit the deposit it appears on and remove it first.';
  return validationFault('6540', 'Deposited Transaction cannot be changed', `Business Validation Error: ${detail}`, '');
}

/** Recorded without an `element`, and with a literal `null` where the holder's id is sometimes named. */
export function duplicateName(): ProviderFault {
  return validationFault('6240', 'Duplicate Name Exists Error', 'The name supplied already exists. : null');
}

export function emailRequired(): ProviderFault {
  const detail = 'Email Address Required : An e-mail address is needed for this delivery type.';
  return validationFault('6420', 'Email address required', detail, 'BillEmail');
}

/** The provider's list has this code without saying when it is given. */
export function duplicateRequestId(): ProviderFault {
  const detail = 'Duplicate Request ID : the request ID already exists. Our system detected the duplicate.';
  return validationFault('600', 'Duplicate Request ID', detail, '');
}

export function queryNotParsed(detail: string): ProviderFault {
  return validationFault('4000', 'Error parsing query', `QueryParserError: ${detail}`);
}

export function queryNotValid(detail: string): ProviderFault {
  return validationFault('4001', 'Invalid query', `QueryValidationError: ${detail}`);
}

/** Errors of single fields, by the provider's code for that kind of field. */
const fieldFaults: Record<string, (field: string) => ProviderFault> = {
  '2010': (field) => invalidProperty(field),
  '2020': (field) => requiredMissing(field),
  '2050': (field) =>
    validationFault(
      '2050',
      'Invalid String',
      'String length is either shorter or longer than supported by specification. ' + `Field:${field}`,
      field,
    ),
  '2040': (field) => validationFault('2040', 'Invalid String', `Unsupported characters in ${field}`, field),
  '2060': (field) => validationFault('2060', 'Invalid Date', `Invalid date : ${field}`, field),
  '2090': (field) => validationFault('2090', 'Invalid Number', `Invalid Number : ${field}`, field),
  '2110': (field) => validationFault('2110', 'Invalid Decimal', `Too many decimal places : ${field}`, field),
  '2170': (field) => validationFault('2170', 'Invalid Enumeration', `Invalid Enumeration : ${field}`, field),
  '2210': (field) => validationFault('2210', 'Invalid Email', `Invalid e-mail address : ${field}`, field),
  '2220': (field) => validationFault('2220', 'Invalid Currency', `Invalid currency : ${field}`, field),
  '2230': (field) => validationFault('2230', 'Invalid Boolean', `Invalid boolean : ${field}`, field),
  '2290': (field) => validationFault('2290', 'Negative Amount', `Amount must not be negative : ${field}`, field),
  unmodelled: (field) => unsupported(`setting ${field}`),
};

export function fieldFault(code: string, field: string): ProviderFault {
  return (fieldFaults[code] ?? invalidProperty)(field);
}

export function throttled(): ProviderFault {
  return new ProviderFault({
    status: 429,
    type: 'SERVICE',
    code: '3001',
    message: 'message=ThrottleExceeded; errorCode=003001; statusCode=429',
    // The two spaces are the provider's.
    detail: 'The request limit was reached.  Try again later',
  });
}

/** The detail repeats the caller's access token, as the provider's does: clients must not log it. */
export function authenticationFailed(detail: string): ProviderFault {
  return new ProviderFault({
    status: 401,
    type: 'AUTHENTICATION',
    code: '3200',
    message: 'message=AuthenticationFailed; errorCode=003200; statusCode=401',
    detail,
  });
}

export function authorizationFailed(): ProviderFault {
  return new ProviderFault({
    status: 403,
    type: 'SERVICE',
    code: '3100',
    message: 'message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403',
    detail: null,
  });
}

export function systemFailure(detail: string): ProviderFault {
  return new ProviderFault({
    status: 500,
    type: 'SystemFault',
    code: '10000',
    message: 'An application error has occurred while processing your request',
    detail: `System Failure Error: ${detail}`,
  });
}
