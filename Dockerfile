# syntax=docker/dockerfile:1

# Debian, not Alpine: the compiler comes as a binary that wants glibc.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json mikro-orm.config.ts ./
COPY .config .config
COPY src src
RUN npm run build

# What runs: neither tools, nor the PostgreSQL and the Node that npm brings for machines without them.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4000
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# The account that comes with the image. It owns nothing here, so the process cannot change its own program.
USER node
EXPOSE 4000
# Alive, not ready: a database that is away is no reason to kill the process, which reconnects by itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Node itself and no shell or npm in between: it gets SIGTERM and stops cleanly.
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
