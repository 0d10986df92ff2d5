import type { Request } from 'express';

/** Where a simulator's control API begins. */
export const CONTROL_PATH = '/__control';

/** Wrong use of the control API, with the status it is answered with. */
export class ControlError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type ControlHandler = (body: unknown, request: Request) => unknown;
export type AddRoute = (method: 'get' | 'post' | 'patch' | 'delete', path: string, handle: ControlHandler) => void;
