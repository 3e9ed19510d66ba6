"""A rate-limit service for tests: Envoy's protocol, fixed windows in Redis, limits as Envoy's own service has them.

    python ratelimit.py PORT REDIS_PORT LIMITS

LIMITS is a file in the format of https://github.com/envoyproxy/ratelimit, of which it reads `domain`, and descriptors of
one level without values: their limit holds for each value by itself. As that service does, it counts what a call adds
before it compares, adds nothing for an addend of 0, and lets a call through that just reaches the limit.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import redis
import yaml

sys.path.insert(0, str(Path(__file__).parent))
messages, services = grpc.protos_and_services("ratelimit.proto")

# A unit's number in the protocol, and its seconds.
UNITS = {"second": (1, 1), "minute": (2, 60), "hour": (3, 3600), "day": (4, 86400)}

Response = messages.RateLimitResponse


class Service(services.RateLimitServiceServicer):
    """The service."""

    def __init__(self, store: redis.Redis, limits: dict):
        self.store = store
        self.domain = limits["domain"]
        self.limits = {limit["key"]: limit["rate_limit"] for limit in limits["descriptors"]}

    def ShouldRateLimit(self, request, context: grpc.ServicerContext):  # noqa: N802
        statuses = [self.status(request, descriptor) for descriptor in request.descriptors]
        over = any(status.code == Response.OVER_LIMIT for status in statuses)
        return Response(overall_code=Response.OVER_LIMIT if over else Response.OK, statuses=statuses)

    def status(self, request, descriptor):
        [entry] = descriptor.entries
        limit = self.limits.get(entry.key)
        if request.domain != self.domain or not limit:
            return Response.Status(code=Response.OK)
        number, seconds = UNITS[limit["unit"]]
        window, passed = divmod(int(time.time()), seconds)
        addend = descriptor.hits_addend.value if descriptor.HasField("hits_addend") else request.hits_addend or 1
        name = f"{self.domain}_{entry.key}_{entry.value}_{window * seconds}"
        used = self.store.incrby(name, addend)
        self.store.expire(name, seconds)
        most = limit["requests_per_unit"]
        return Response.Status(
            code=Response.OVER_LIMIT if used > most else Response.OK,
            current_limit=Response.Limit(requests_per_unit=most, unit=number),
            limit_remaining=max(0, most - used),
            duration_until_reset=Response.Duration(seconds=seconds - passed),
        )


def main(port: str, store: str, limits: str) -> None:
    service = Service(redis.Redis(port=int(store)), yaml.safe_load(Path(limits).read_text()))
    server = grpc.server(ThreadPoolExecutor(4))
    services.add_RateLimitServiceServicer_to_server(service, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
