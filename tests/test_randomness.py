"""Random streams: the same for the same seed and step, different for everything else."""

import itertools

import tensorflow as tf

from remi_tf import randomness

STREAMS = {
    "targets": randomness.WINDOW_TARGETS,
    "users": randomness.WINDOW_USERS,
    "negatives": randomness.NEGATIVES,
    "choice of negatives": randomness.CHOICE_OF_NEGATIVES,
    "encoder": randomness.ENCODER,
    "objective": randomness.OBJECTIVE,
}


def seed_of(seed, step, stream) -> tuple[int, ...]:
    return tuple(randomness.stream_seed(seed, tf.constant(step), stream).numpy().tolist())


def test_a_stream_is_a_function_of_seed_and_step():
    assert seed_of(7, 3, 0) == seed_of(7, 3, 0)
    graph = tf.function(lambda step: randomness.stream_seed(7, step, 0))
    assert tuple(graph(tf.constant(3, tf.int64)).numpy().tolist()) == seed_of(7, 3, 0)


def test_no_two_streams_of_any_step_or_run_share_their_numbers():
    keys = list(itertools.product((2021, 2022), (0, 1, 2, 1_000_000), STREAMS.values()))
    assert len({seed_of(*key) for key in keys}) == len(keys)


def test_the_places_of_an_encoder_draw_apart():
    seed = randomness.stream_seed(1, tf.constant(5), randomness.ENCODER)
    draws = {tuple(tf.random.stateless_uniform([4], randomness.place_seed(seed, n)).numpy()) for n in range(20)}
    assert len(draws) == 20


def test_a_model_on_one_device_draws_what_the_first_replica_draws():
    step = tf.constant(4)
    alone = randomness.replica_seed(1, step, randomness.ENCODER)
    first = tf.distribute.OneDeviceStrategy("/cpu:0").run(lambda: randomness.replica_seed(1, step, randomness.ENCODER))
    assert alone.numpy().tolist() == first.numpy().tolist()


def test_the_seeds_of_weights_leave_room_for_a_thousand_in_each_part():
    starts = [randomness.ENCODER_WEIGHTS, randomness.LOSS_WEIGHTS, randomness.REGULARIZER_WEIGHTS]
    assert all(b - a >= 1000 for a, b in itertools.pairwise([0, *starts[1:]])) and starts[0] > 0
