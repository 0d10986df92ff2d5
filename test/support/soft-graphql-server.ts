import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import { MaxIntrospectionDepthRule, specifiedRules, validate } from 'graphql';

/** Our schema without anything behind it, on a server that gives a scanner all it looks for. */
export async function startSoftGraphQLServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const apollo = new ApolloServer({
    typeDefs: readFileSync('schema.graphql', 'utf8'),
    introspection: true,
    allowBatchedHttpRequests: true,
    csrfPrevention: false,
    includeStacktraceInErrorResponses: true,
    dangerouslyDisableValidation: true,
    stopOnTerminationSignals: false,
    plugins: [ApolloServerPluginLandingPageLocalDefault(), validation, tracing],
  });
  await apollo.start();
  const app = express();
  app.use('/graphql', express.json(), express.urlencoded(), postWhatIsGot, expressMiddleware(apollo));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await apollo.stop();
    },
  };
}

/** Apollo itself refuses mutations by GET, whatever its options. */
const postWhatIsGot: express.RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' && request.query.query !== undefined) {
    request.method = 'POST';
    request.body = request.query;
  }
  next();
};

/** As Apollo has it, without the one rule about introspection that cannot be switched off. */
const validation: ApolloServerPlugin = {
  async requestDidStart() {
    return {
      async responseForOperation({ schema, document, response }) {
        const rules = specifiedRules.filter((rule) => rule !== MaxIntrospectionDepthRule);
        const errors = validate(schema, document, rules);
        return errors.length === 0
          ? null
          : { ...response, body: { kind: 'single', singleResult: { errors: errors.map((error) => error.toJSON()) } } };
      },
    };
  },
};

/** Apollo's own went with its second version. */
const tracing: ApolloServerPlugin = {
  async requestDidStart() {
    const startTime = new Date().toISOString();
    return {
      async willSendResponse({ response: { body } }) {
        if (body.kind === 'single') body.singleResult.extensions = { tracing: { version: 1, startTime } };
      },
    };
  },
};
