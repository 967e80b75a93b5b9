// Sends the payload to a URL and prints the answer's body. The exit code is the first digit of the status, 0 for 2xx; 75
// if the same message may work later.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createDestinations, Refused } from './destinations.mjs';

const { TRIGGER_ARG_URL, TRIGGER_ARG_METHOD, TRIGGER_ARG_TYPE, TRIGGER_ARG_TEXT, TRIGGER_ARG_TIMEOUT } = process.env;
const { TRIGGER_ARG_ALLOW, TRIGGERD_ETCD } = process.env;

/** EX_TEMPFAIL: a trigger file keeps the message and sends it again. */
const notNow = 75;
/** The server is busy or has an error that may pass. 501 and 505 do not pass. */
const isForNow = (status) => status === 429 || (status >= 500 && status !== 501 && status !== 505);
/** Errors of a connection that may pass. */
const passing = new Set(
  'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN EAI_AGAIN'.split(' '),
);

const say = (text) => process.stderr.write(`forward: ${text}\n`);

/** The given URL as an address. Undefined if it is no URL; the error is then printed. */
const readUrl = () => {
  const url = URL.canParse(TRIGGER_ARG_URL) ? new URL(TRIGGER_ARG_URL) : undefined;
  if (url === undefined) say(`${TRIGGER_ARG_URL} is no URL`);
  if (url?.username === '' && url.password === '') return url;
  if (url !== undefined) say('a URL with a user or a password would show it to everybody who sees the queue');
  return undefined;
};

/**
 * The answer, once its head has arrived. Redirects are not followed. The name is not resolved again, because its server could
 * return another address than the checked one. There is no agent, so the environment's proxy is not used.
 */
const send = (url, addresses, body, signal) =>
  new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = { 'content-type': TRIGGER_ARG_TYPE, 'content-length': body.length, 'user-agent': 'triggerd' };
    const lookup = (_name, { all }, found) =>
      all ? found(null, addresses) : found(null, addresses[0].address, addresses[0].family);
    const options = { method: TRIGGER_ARG_METHOD, headers, signal, lookup, agent: false };
    request(url, options).on('response', resolve).on('error', reject).end(body);
  });

const forward = async (url) => {
  const body = TRIGGER_ARG_TEXT === undefined ? await buffer(process.stdin) : Buffer.from(TRIGGER_ARG_TEXT);
  const signal = AbortSignal.timeout(Number(TRIGGER_ARG_TIMEOUT) * 1000);
  try {
    const destinations = await createDestinations({ allow: TRIGGER_ARG_ALLOW ?? '', etcd: TRIGGERD_ETCD ?? '' });
    const answer = await send(url, await destinations.of(url), body, signal);
    await pipeline(answer, process.stdout, { end: false, signal });
    const { statusCode, statusMessage } = answer;
    if (statusCode >= 200 && statusCode < 300) return 0;
    say(`${TRIGGER_ARG_METHOD} ${url.origin} was answered ${statusCode} ${statusMessage}`);
    return isForNow(statusCode) ? notNow : Math.floor(statusCode / 100);
  } catch (error) {
    const reason = signal.aborted ? `no answer in ${TRIGGER_ARG_TIMEOUT} s` : error.message || error.code;
    say(`${TRIGGER_ARG_METHOD} ${url.origin}: ${reason}`);
    if (error instanceof Refused) return 2;
    return signal.aborted || passing.has(error.code) ? notNow : 1;
  }
};

const url = readUrl();
process.exitCode = url === undefined ? 2 : await forward(url);
