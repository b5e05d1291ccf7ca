"""The API's own rate limit: chunked buckets, the headers of both generations."""

from pipelines.sim_api import (
    FREE_KEY,
    MEMBER_KEY,
    OWNER_KEY,
    WORKSPACE,
    Buckets,
    EmbeddedApi,
    RateLimit,
    World,
    dialect,
)

QUERY = f"workspaceId={WORKSPACE}"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_tokens_arrive_all_at_once_at_the_boundary() -> None:
    buckets = Buckets(RateLimit.per_minute(3))
    assert [buckets.take("a", 0.0).remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = buckets.take("a", 59.2)
    assert (refused.allowed, refused.retry_after, refused.resets_at) == (False, 1, 60.0)
    assert [buckets.take("a", 60.0).allowed for _ in range(4)] == [True, True, True, False]


def test_bucket_never_holds_more_than_its_capacity() -> None:
    buckets = Buckets(RateLimit(rate=3, capacity=6))
    buckets.take("a", 0.0)
    assert buckets.take("a", 600.0).remaining == 5


def test_payers_have_buckets_of_their_own() -> None:
    buckets = Buckets(RateLimit(rate=1, capacity=1))
    assert buckets.take("a", 0.0).allowed
    assert buckets.take("b", 0.0).allowed
    assert not buckets.take("a", 0.0).allowed


def api(world: World, name: str, limit: RateLimit) -> tuple[EmbeddedApi, Clock]:
    clock = Clock()
    return EmbeddedApi(world, dialect(name), limit, clock=clock), clock


def test_header_says_capacity_on_2026_08_and_rate_on_2026_03(world: World) -> None:
    for name, limit in (("2026-08", "60"), ("2026-03", "30")):
        server, _ = api(world, name, RateLimit.per_minute(30))
        headers = server.answer("GET", "/api/v1/logs", QUERY, OWNER_KEY, None).headers
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == (limit, "59")
        assert headers["x-ratelimit-reset"] == "1970-01-12T13:47:40.000Z"


def test_429_tells_when_to_come_back(world: World) -> None:
    server, clock = api(world, "2026-08", RateLimit(rate=1, capacity=1))
    server.answer("GET", "/api/v1/logs", QUERY, OWNER_KEY, None)
    clock.now += 17.5
    refused = server.answer("GET", "/api/v1/workflows", QUERY, OWNER_KEY, None)
    assert (refused.status, refused.headers["retry-after"]) == (429, "43")
    clock.now += 43
    assert server.answer("GET", "/api/v1/logs", QUERY, OWNER_KEY, None).status == 200


def test_errors_cost_a_token_and_unknown_keys_do_not(world: World) -> None:
    server, _ = api(world, "2026-08", RateLimit(rate=1, capacity=2))
    assert server.answer("GET", "/api/v1/logs", QUERY, "sk-sim-nope", None).status == 401
    assert server.answer("GET", "/api/v1/logs", "", OWNER_KEY, None).status == 400
    assert server.answer("GET", "/api/v1/logs", QUERY, OWNER_KEY, None).headers["x-ratelimit-remaining"] == "0"


def test_usage_limits_is_not_limited(world: World) -> None:
    server, _ = api(world, "2026-08", RateLimit(rate=0, capacity=0))
    answer = server.answer("GET", "/api/users/me/usage-limits", "", OWNER_KEY, None)
    assert answer.status == 200
    assert "x-ratelimit-limit" not in answer.headers


def test_enterprise_shares_one_bucket_per_organization(world: World) -> None:
    server, _ = api(world, "2026-08", RateLimit(rate=1, capacity=1))
    assert server.answer("GET", "/api/v1/logs", QUERY, OWNER_KEY, None).status == 200
    assert server.answer("GET", "/api/v1/logs", QUERY, MEMBER_KEY, None).status == 429
    assert server.answer("GET", "/api/v1/logs", QUERY, FREE_KEY, None).status == 403
