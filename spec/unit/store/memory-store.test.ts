import { describeKeyStore } from '../../support/keystore-contract.ts';
import { MemoryStore } from '../../support/memory-store.ts';

describeKeyStore('in memory', async () => ({ store: new MemoryStore(), prefix: '/test/' }));
