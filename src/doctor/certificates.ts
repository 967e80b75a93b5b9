import type { Config } from '../config/schema.ts';
import { asTriggerdError } from '../domain/errors.ts';
import { type Finding, findingsIn } from './finding.ts';
import type { Certificate, CertificateFiles, Surroundings } from './ports.ts';

const { fine, unused, warning, wrong } = findingsIn('certificates');

const dayMs = 86_400_000;
const soonDays = 30;
const renew = 'Renew it, and restart triggerd.';

/** The certificates that [etcd] names: readable, in their time, fitting each other. */
export const checkCertificates = async ({ machine, now }: Surroundings, { etcd }: Config): Promise<Finding[]> => {
  const { ca_file: ca, cert_file: cert, key_file: key } = etcd;
  const files: CertificateFiles[] = [
    ...(ca === undefined ? [] : [{ cert: ca }]),
    ...(cert === undefined ? [] : [{ cert, key, ca }]),
  ];
  if (files.length === 0) {
    const isOpen = etcd.endpoints.some((endpoint) => !/^http:\/\/(127\.|localhost|\[::1\])/.test(endpoint));
    if (!isOpen || etcd.endpoints.some((endpoint) => endpoint.startsWith('https:'))) return [unused('none configured')];
    const remedy = 'Give etcd TLS; Puppet’s own certificates can serve ([etcd] ca_file, cert_file, key_file).';
    return [warning('the connection to etcd is not encrypted, and anyone who reaches etcd can fire', remedy)];
  }
  return Promise.all(
    files.map(async (each) => {
      try {
        return certificateFinding(each.cert, await machine.certificate(each), now());
      } catch (thrown) {
        return wrong(asTriggerdError(thrown).message, 'Check the file, its owner and its mode.');
      }
    }),
  );
};

const certificateFinding = (file: string, certificate: Certificate, now: number): Finding => {
  const { subject, validFrom, validTo, belongsToKey, isIssuedByCa } = certificate;
  const days = Math.floor((validTo - now) / dayMs);
  const until = new Date(validTo).toISOString().slice(0, 10);
  if (days < 0) return wrong(`${file} expired on ${until}`, renew);
  if (validFrom > now)
    return wrong(`${file} is not valid before ${new Date(validFrom).toISOString()}`, 'Check the clock.');
  if (belongsToKey === false)
    return wrong(
      `${file} does not belong to the key of key_file`,
      'Set cert_file and key_file to a certificate and its own key.',
    );
  if (isIssuedByCa === false)
    return warning(
      `${file} was not issued by the CA of ca_file`,
      'Ignore this only if etcd trusts another CA for clients.',
    );
  if (days < soonDays) return warning(`${file} expires on ${until}, in ${days} days`, renew);
  return fine(`${file} (${subject}) is valid until ${until}`);
};
