"""A made audience: who rates which film, how and when.

The shapes follow what is known of public rating sets (few very active users, few very popular films, ratings
given in bursts), the numbers are drawn. Nothing here was observed.

Everything is drawn with `random.Random.random` and its friends, whose streams Python keeps stable between
versions, so a seed gives the same bytes everywhere.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import NamedTuple

ACTIVITY_MU, ACTIVITY_SIGMA, ACTIVITY_MIN = 4.4, 1.0, 20
RATINGS_A_FILM = 10.4  # mean, as long as there are films enough
TOP_SHARE = 0.60  # of the ratings, held by the top tenth of the films
FILMS_RATED_ONCE = 1 / 3
STARS = ("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0")
STAR_SHARES = (0.011, 0.033, 0.017, 0.073, 0.045, 0.201, 0.105, 0.288, 0.077, 0.151)
USER_BIAS, FILM_BIAS = 0.47, 0.45
NOISE = 0.81  # makes the sum of biases and noise as wide as the stars are: 1.04
CRITICS_WEIGHT = 0.6  # how far the audience agrees with the critics on a film
BURST_SHARE = 0.80  # of a user's gaps are shorter than a minute
MINUTE, DAY = 60, 86_400
WINDOW = 3 * 365 * DAY  # ratings lie in the three years before the batch

_BIAS_STEP, _BIAS_MAX = 0.01, 3.5


@dataclass(frozen=True)
class Film:
    """What the audience knows of a film: its id, how many critics saw it and what they thought (0 to 10)."""

    imdb_id: str
    reviews: int
    critics: float | None


class Rating(NamedTuple):
    """One rating, as text; `rated_at` in seconds since 1970 UTC."""

    user_id: str
    imdb_id: str
    rating: str
    rated_at: str


class Audience:
    """`rows` ratings of `films`, all before `before` (seconds since 1970 UTC).

    A user rates a film once. Memory: two bytes a rating and some hundred a film and user; ratings are yielded
    as they are drawn, ordered by user and time.
    """

    def __init__(self, seed: int, rows: int, films: Sequence[Film], before: int) -> None:
        self._rng = Random(seed)
        self._before = before
        self._activity = draw_activity(self._rng, rows, len(films))
        counts = film_counts(rows, len(films), self._activity)
        ranked = _by_popularity(self._rng, films)[: len(counts)]
        self._ids = [film.imdb_id for film in ranked]
        self._film_bias = _film_biases(self._rng, ranked, counts)
        self._user_bias = _standardized(
            [self._rng.gauss(0, 1) for _ in self._activity], list(self._activity), USER_BIAS
        )
        self._pool = _pool(counts)
        self._stars = _star_table()

    @property
    def users(self) -> int:
        """How many users there are."""
        return len(self._activity)

    def __iter__(self) -> Iterator[Rating]:
        for index, number in enumerate(self._activity):
            user = str(index + 1)
            bias = self._user_bias[index]
            for film, time in zip(self._films_of_a_user(number), self._times_of_a_user(number), strict=True):
                yield Rating(user, self._ids[film], self._star(bias + self._film_bias[film]), str(time))

    def _films_of_a_user(self, number: int) -> list[int]:
        """Draws from the pool without putting back, so every film ends with the ratings planned for it."""
        pool, random = self._pool, self._rng.random
        seen: set[int] = set()
        chosen: list[int] = []
        for _ in range(number):
            for _ in range(100):
                at = int(random() * len(pool))
                film = pool[at]
                if film not in seen:
                    break
            else:  # the last users find a pool of films they have rated already
                film = next(other for other in range(len(self._ids)) if other not in seen)
            pool[at] = pool[-1]
            pool.pop()
            seen.add(film)
            chosen.append(film)
        return chosen

    def _times_of_a_user(self, number: int) -> list[int]:
        random = self._rng.random
        short = [random() < BURST_SHARE for _ in range(number - 1)]
        gaps = [5 + 54 * random() if burst else -math.log(1 - random()) for burst in short]
        idle = sum(gap for gap, burst in zip(gaps, short, strict=True) if not burst)
        bursts = sum(gap for gap, burst in zip(gaps, short, strict=True) if burst) + MINUTE * short.count(False)
        span = max(0.0, WINDOW - bursts) * random() ** 2
        stretch = span / idle if idle else 0.0
        seconds = [int(gap if burst else MINUTE + gap * stretch) for gap, burst in zip(gaps, short, strict=True)]
        duration = sum(seconds)
        start = self._before - 1 - duration - int(random() * max(0, WINDOW - duration))
        return list(accumulate(seconds, initial=start))

    def _star(self, bias: float) -> str:
        bias = min(max(bias, -_BIAS_MAX), _BIAS_MAX)
        return STARS[bisect_left(self._stars[round((bias + _BIAS_MAX) / _BIAS_STEP)], self._rng.random())]


def draw_activity(rng: Random, rows: int, films: int) -> array:
    """How many films each user rates: log-normal, users of fewer than 20 ratings left out; sums to `rows`.

    The mean of what is left is 145, so there are about rows/150 users.
    """
    activity = array("L")
    most = max(ACTIVITY_MIN, films // 2)
    rest = rows
    while rest >= ACTIVITY_MIN:
        number = min(int(rng.lognormvariate(ACTIVITY_MU, ACTIVITY_SIGMA)), most, rest)
        if number >= ACTIVITY_MIN:
            activity.append(number)
            rest -= number
    if not activity:
        return array("L", [rows] if rows else [])
    for extra in range(rest):
        activity[extra % len(activity)] += 1
    return activity


def film_counts(rows: int, available: int, activity: Sequence[int]) -> list[int]:
    """How many ratings each rated film gets, most popular first; sums to `rows`.

    A third of the films have one rating, the curve rises log-linearly, bent so that the top tenth holds 0.60 of
    the ratings; the most popular film is rated by half of the users. From about 50,000 rows up these shares
    hold; fewer users cannot carry so popular films, and the curve is flattened.
    """
    if not rows:
        return []
    most = max(1, len(activity) * 2 // 3)
    films = max(int(rows / RATINGS_A_FILM), math.ceil(1.5 * rows / most), min(available, 2 * max(activity)))
    films = min(films, available, rows)
    if films * most < rows or films < max(activity):
        raise ValueError(f"{rows} ratings need more than {available} films: a user rates a film once")
    once, top = int(films * FILMS_RATED_ONCE), films // 10
    middle = films - once - top
    shoulder = max(2.0, 2.6 * rows / films)
    peak = max(shoulder, len(activity) / 2)
    rising = _bent(middle, 2.0, shoulder, (1 - TOP_SHARE) * rows - once)
    steep = _bent(top, shoulder, peak, TOP_SHARE * rows)
    counts = [min(count, most) for count in reversed([1] * once + rising + steep)]
    return _summing_to(counts, rows, most)


def _bent(number: int, low: float, high: float, total: float) -> list[int]:
    """`number` values from `low` to `high`, log-linear in a power of their rank chosen so that they sum to `total`."""

    def values(power: float) -> list[int]:
        return [round(low * (high / low) ** (((i + 0.5) / number) ** power)) for i in range(number)]

    flat, bent = 0.02, 50.0
    for _ in range(40):
        power = math.sqrt(flat * bent)
        if sum(values(power)) > total:
            flat = power
        else:
            bent = power
    return values(bent)


def _summing_to(counts: list[int], total: int, most: int) -> list[int]:
    """Moves what rounding and capping left over, one rating a film, keeping every count within 1 and `most`."""
    rest = total - sum(counts)
    step = 1 if rest > 0 else -1
    while rest:
        for i, count in enumerate(counts):
            if rest and 1 <= count + step <= most:
                counts[i] += step
                rest -= step
    return counts


def _by_popularity(rng: Random, films: Sequence[Film]) -> list[Film]:
    """Films that many critics reviewed tend to be seen by many."""
    scores = [math.log1p(film.reviews) + rng.gauss(0, 0.5) for film in films]
    return [films[i] for i in sorted(range(len(films)), key=lambda i: -scores[i])]


def _film_biases(rng: Random, films: Sequence[Film], counts: Sequence[int]) -> list[float]:
    known = [film.critics for film in films if film.critics is not None]
    mean = sum(known) / len(known) if known else 0.0
    spread = math.sqrt(sum((value - mean) ** 2 for value in known) / len(known)) if known else 0.0
    own = math.sqrt(1 - CRITICS_WEIGHT**2)
    biases = []
    for film in films:
        taste = rng.gauss(0, 1)
        agreed = (film.critics - mean) / spread if film.critics is not None and spread else rng.gauss(0, 1)
        biases.append(CRITICS_WEIGHT * agreed + own * taste)
    return _standardized(biases, counts, FILM_BIAS)


def _standardized(values: list[float], weights: Sequence[int], spread: float) -> list[float]:
    """Shifts and scales to mean 0 and standard deviation `spread`, weighted: then the shares of stars come out."""
    total = sum(weights)
    if not total:
        return values
    mean = sum(value * weight for value, weight in zip(values, weights, strict=True)) / total
    square = sum((value - mean) ** 2 * weight for value, weight in zip(values, weights, strict=True)) / total
    scale = spread / math.sqrt(square) if square else 0.0
    return [(value - mean) * scale for value in values]


def _pool(counts: Sequence[int]) -> array:
    pool = array("H" if len(counts) <= 0xFFFF else "L")
    for film, count in enumerate(counts):
        pool.extend(array(pool.typecode, [film]) * count)
    return pool


def _star_table() -> list[tuple[float, ...]]:
    """For each bias on a grid: the cumulated shares of the stars but the last (an ordered probit model)."""
    width = math.sqrt(USER_BIAS**2 + FILM_BIAS**2 + NOISE**2)
    total = sum(STAR_SHARES)
    cuts = [width * NormalDist().inv_cdf(share / total) for share in accumulate(STAR_SHARES[:-1])]
    noise = NormalDist(0, NOISE)
    grid = range(round(2 * _BIAS_MAX / _BIAS_STEP) + 1)
    return [tuple(noise.cdf(cut - (step * _BIAS_STEP - _BIAS_MAX)) for cut in cuts) for step in grid]
