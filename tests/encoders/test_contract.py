"""What every registered encoder promises. tests/counted/test_contract.py has what counted models do."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.encoders import make_encoder
from remi_tf.encoders.base import Encoder, Interests
from remi_tf.model import MultiInterestModel
from remi_tf.serving import export as serving
from remi_tf.settings import presets
from remi_tf.settings.encoders import ENCODERS, needs
from remi_tf.settings.settings import Settings
from remi_tf.systems import recommend
from remi_tf.training.optimizers import LazyAdam
from remi_tf.training.spectral_start import start_from_log
from tests.feature_toys import toy_features

LENGTH, DIM, INTERESTS = 6, 16, 3
PROFILE_SIZES = (2, 3)
STEP_SEED = tf.constant([5, 6])


@dataclass
class Batch:
    """What an encoder is given for users with histories of `lengths` items; padded slots are not zero."""

    embeddings: np.ndarray
    mask: np.ndarray
    features: dict[str, np.ndarray]

    @classmethod
    def of(cls, settings: Settings, lengths: list[int], padding: float = 0.3) -> "Batch":
        generator = np.random.default_rng(1)
        mask = np.arange(LENGTH) < np.array(lengths)[:, np.newaxis]
        embeddings = generator.normal(size=(*mask.shape, DIM)).astype(np.float32)
        days = 18_000 + np.cumsum(generator.integers(0, 40, mask.shape), axis=1)
        profile = [generator.integers(0, size + 1, len(lengths)) for size in PROFILE_SIZES]
        features = {"days": np.where(mask, days, 10 * padding), "profile": np.stack(profile, axis=1)}
        needed = {name: features[name].astype(np.int32) for name in needs(settings.encoder)}
        return cls(np.where(mask[..., np.newaxis], embeddings, np.float32(padding)), mask, needed)

    def part(self, users: slice = slice(None), length: int = LENGTH) -> "Batch":
        features = {name: x[users, :length] if name == "days" else x[users] for name, x in self.features.items()}
        return Batch(self.embeddings[users, :length], self.mask[users, :length], features)

    def through(self, encoder: Encoder, training_seed: tf.Tensor | None = None) -> Interests:
        features = {name: tf.constant(value) for name, value in self.features.items()}
        return encoder(tf.constant(self.embeddings), tf.constant(self.mask), training_seed=training_seed, **features)


PLAIN = sorted(name for name in ENCODERS if not ENCODERS[name].counted)
WITH_PROFILE = [f"{name} concat" for name in PLAIN if "profile" not in ENCODERS[name].needs]


@pytest.fixture(scope="module", params=PLAIN + WITH_PROFILE)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def name(case):
    return case.split()[0]


@pytest.fixture(scope="module")
def settings(case, name) -> Settings:
    """The encoder with its own defaults, in small; it also reads the profile if the case says so."""
    values = {"model_type": name, "embedding_dim": DIM, "max_history": LENGTH, "batch_size": 64, "learning_rate": 0.03}
    if not ENCODERS[name].single:
        values["num_interests"] = INTERESTS
    if case.endswith("concat"):
        values["read_profile"] = "concat"
    if case.endswith("tower"):
        values["item_tower"] = "mlp"
    return presets.compose("toy", "default", False, values, num_items=30)


def make(settings: Settings, seed: int = 3) -> Encoder:
    return make_encoder(settings.encoder, seed, PROFILE_SIZES)


@pytest.fixture(scope="module")
def encoder(settings):
    return make(settings)


@pytest.fixture(scope="module")
def batch(settings):
    return Batch.of(settings, [1, 3, 4, 5])


def test_shapes(name, encoder, batch):
    interests, number = batch.through(encoder), 1 if ENCODERS[name].single else INTERESTS
    assert interests.vectors.shape == (4, number, DIM)
    assert (interests.routing is not None) == ENCODERS[name].routing
    if interests.routing is not None:
        assert interests.routing.shape == (4, number, LENGTH)
        np.testing.assert_allclose(tf.reduce_sum(interests.routing, axis=2), np.ones((4, number)), rtol=1e-5)
        assert not interests.routing.numpy().transpose(0, 2, 1)[~batch.mask].any()
    assert interests.active is None or interests.active.shape == (4, number)
    assert (interests.states is not None) == ENCODERS[name].states


@pytest.mark.parametrize(
    "case", [case for case in PLAIN + WITH_PROFILE if ENCODERS[case.split()[0]].states], indirect=True
)
def test_the_vector_is_the_last_state_and_a_state_never_looks_ahead(settings, encoder, batch):
    interests, last = batch.through(encoder), batch.mask.sum(axis=1) - 1
    states = tf.gather(interests.states, last, batch_dims=1)
    np.testing.assert_allclose(states, interests.vectors[:, 0], rtol=1e-5, atol=1e-6)
    whole, changed = Batch.of(settings, [5]), Batch.of(settings, [5])
    changed.embeddings[:, 3:] += np.arange(DIM, dtype=np.float32)
    before, after = (each.through(encoder).states.numpy()[0] for each in (whole, changed))
    np.testing.assert_allclose(before[:3], after[:3], rtol=1e-5, atol=1e-6)
    assert (np.abs(before - after)[3:5].max(axis=1) > 1e-3).all()


def test_neither_what_padding_holds_nor_how_much_there_is_changes_the_interests(settings, encoder, batch):
    vectors = batch.through(encoder).vectors
    np.testing.assert_array_equal(vectors, Batch.of(settings, [1, 3, 4, 5], padding=1e3).through(encoder).vectors)
    np.testing.assert_allclose(vectors, batch.part(length=5).through(encoder).vectors, rtol=1e-5, atol=1e-5)


def test_a_users_interests_do_not_depend_on_the_rest_of_the_batch(encoder, batch):
    alone = [batch.part(slice(user, user + 1)).through(encoder).vectors for user in range(4)]
    np.testing.assert_allclose(batch.through(encoder).vectors, tf.concat(alone, axis=0), rtol=1e-5, atol=1e-5)


def test_an_empty_history_has_finite_interests_and_none_of_the_profile_only(settings, encoder):
    for seed in (None, STEP_SEED):
        vectors = Batch.of(settings, [0, 2]).through(encoder, seed).vectors
        assert np.isfinite(vectors).all()
        assert "profile" not in needs(settings.encoder) or not vectors[0].numpy().any()


@pytest.mark.parametrize("case", [*WITH_PROFILE, "UMI"], indirect=True)
def test_the_profile_changes_the_interests_and_an_unknown_value_tells_nothing(settings, encoder):
    def told(profile):
        batch = Batch.of(settings, [3, 5])
        batch.features["profile"] = np.array([profile, profile], np.int32)
        return batch.through(encoder).vectors

    unknown = told([0, 0])
    for profile in ([1, 0], [2, 0], [0, 1], [2, 3]):
        assert np.abs(told(profile) - unknown).max(axis=(1, 2)).min() > 1e-4
    assert np.abs(told([1, 0]) - told([0, 1])).max() > 1e-4  # each column has values of its own


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_float16", 0.01), ("mixed_bfloat16", 0.08)])
def test_16_bits_come_close_to_32(settings, encoder, policy, tolerance):
    batch = Batch.of(settings, [1, 3, 4, 0])
    exact = batch.through(encoder).vectors.numpy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        half = tf.cast(batch.through(make(settings)).vectors, tf.float32).numpy()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert np.linalg.norm(half - exact) <= tolerance * np.linalg.norm(exact)


def test_the_seed_decides_the_encoder_and_its_random_draws(name, settings, encoder, batch):
    for seed in (None, STEP_SEED):
        ours, twins = (batch.through(of, seed).vectors for of in (encoder, make(settings)))
        np.testing.assert_array_equal(ours, twins)
    assert np.abs(batch.through(make(settings, seed=4)).vectors - batch.through(encoder).vectors).max() > 1e-3


def test_saved_weights_restore_the_encoder(settings, encoder, batch, tmp_path):
    other = make(settings, seed=4)
    for built_by_a_call in (encoder, other):
        batch.through(built_by_a_call)
    path = tf.train.Checkpoint(encoder=encoder).save(str(tmp_path / "weights"))
    tf.train.Checkpoint(encoder=other).restore(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(batch.through(other).vectors, batch.through(encoder).vectors)


def test_every_weight_receives_a_gradient(name, encoder, batch):
    with tf.GradientTape() as tape:
        vectors = batch.through(encoder, STEP_SEED).vectors
        loss = tf.reduce_sum(vectors * tf.random.stateless_normal(vectors.shape, STEP_SEED)) + sum(encoder.losses)
    gradients = tape.gradient(loss, encoder.trainable_variables)
    assert gradients
    for variable, gradient in zip(encoder.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.name
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.name


# A log of 50 users, each of whom reads the 6 items of one of 5 groups, at random.
GROUPS, SIZE, USERS, EVENTS = 5, 6, 50, 24
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    generator = np.random.default_rng(2)
    items = 1 + np.arange(USERS)[:, np.newaxis] % GROUPS + GROUPS * generator.integers(0, SIZE, (USERS, EVENTS))
    times = np.tile(86_400 * np.arange(EVENTS), USERS)
    profiles = np.stack([generator.integers(0, size + 1, USERS) for size in PROFILE_SIZES], axis=1)
    offsets = EVENTS * np.arange(USERS + 1)
    users = Interactions(items.ravel(), times, offsets, np.full(USERS, EVENTS - 1), profiles)
    path = tmp_path_factory.mktemp("contract") / "toy"
    write_dataset(
        path,
        name="toy",
        splits=dict.fromkeys(SPLITS, users),
        users={split: [f"user {user}" for user in range(USERS)] for split in SPLITS},
        vocabulary=Vocabulary([f"item {row}" for row in range(1, GROUPS * SIZE + 1)]),
        profile_columns=[ProfileColumn(f"column {size}", tuple("abc"[:size])) for size in PROFILE_SIZES],
        made_by={},
    )
    return load_dataset(path)


def windows(model, toy, ends) -> tuple[dict[str, tf.Tensor], np.ndarray]:
    """Of each user what the model reads before the positions `ends`, and the items there."""
    items, times = (np.asarray(values).reshape(USERS, EVENTS) for values in (toy.train.items, toy.train.timestamps))
    rows = [(user, end, max(0, end - LENGTH)) for user in range(USERS) for end in ends]
    history, days = np.zeros((2, len(rows), LENGTH), np.int32)
    for row, (user, end, start) in enumerate(rows):
        history[row, : end - start], days[row, : end - start] = items[user, start:end], times[user, start:end] // 86_400
    inputs = {"history": history, "days": days, "profile": toy.train.profiles[[user for user, *_ in rows]]}
    target = np.array([items[user, end] for user, end, _ in rows])
    return {name: tf.constant(inputs[name]) for name in ("history", *model.needs)}, target


def test_from_a_spectral_start_it_knows_which_items_go_together_before_any_step(settings, toy):
    model = MultiInterestModel(settings, toy.num_items, toy.profile_sizes)
    start_from_log(model.item_table, toy.train, settings.training.seed)
    vectors = model.item_vectors()[1:]
    likeness, group = tf.matmul(vectors, vectors, transpose_b=True).numpy(), np.arange(GROUPS * SIZE) % GROUPS
    same = group[:, np.newaxis] == group
    np.fill_diagonal(likeness, np.nan)
    assert np.nanmean(likeness[same]) > 3 * abs(np.nanmean(likeness[~same]))
    inputs, _ = windows(model, toy, [0, 3])
    assert np.isfinite(model.encode(**inputs).vectors).all()


@pytest.mark.parametrize("case", PLAIN, indirect=True)
def test_with_features_of_items_a_step_teaches_them_and_the_rows_of_the_ids(settings, toy):
    towered = settings.replace(item_tower="mlp")
    model = MultiInterestModel(towered, toy.num_items, toy.profile_sizes, features=toy_features(toy.num_items))
    inputs, target = windows(model, toy, [EVENTS - 1])
    with tf.GradientTape() as tape:
        loss = model.compute_loss({**inputs, "target": tf.constant(target, tf.int32)}, training=True) + sum(
            model.losses
        )
    tower = model.items.tower
    for gradient in tape.gradient(loss, [model.items.id_table, tower.code_table]):
        values = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(values).all() and np.abs(values).max() > 0
    tower.code_table.assign(tf.random.stateless_normal(tower.code_table.shape, [1, 2]))
    before = model.encode(**inputs).vectors.numpy()
    model.finish_items()
    assert np.abs(model.encode(**inputs).vectors.numpy() - before).max() > 1e-3


@pytest.fixture(scope="module")
def trained(settings, toy):
    """The whole model with the encoder's own objective, after 300 steps on all but the users' last items."""
    model = MultiInterestModel(settings, toy.num_items, toy.profile_sizes, features=toy_features(toy.num_items))
    if model.items is not None:
        model.items.learns(np.bincount(toy.train.items, minlength=toy.num_items + 1))
    model.compile(optimizer=LazyAdam(settings.training.learning_rate), steps_per_execution=20)
    inputs, target = windows(model, toy, range(1, EVENTS - 1))
    data = tf.data.Dataset.from_tensor_slices({**inputs, "target": target.astype(np.int32)})
    model.fit(data.shuffle(1000, seed=1).repeat().batch(64), steps_per_epoch=300, verbose=0)
    model.finish_items()
    return model


LONG = ("GRU4REC", "MTMI-GRU", "PIMI", "Re4", "SASRec", "SINE", "UMI")  # their steps take long
TRAINED = pytest.mark.parametrize(
    "case",
    [
        *(pytest.param(case, marks=[pytest.mark.slow] * (case in LONG)) for case in PLAIN),
        *("SA concat", "SA tower", "MTMI-DNN tower"),
    ],
    indirect=True,
)


@pytest.mark.trains
@TRAINED
def test_it_learns_which_items_go_together(name, trained, toy):
    inputs, target = windows(trained, toy, [EVENTS - 1])
    ids, _ = recommend(trained, k=SIZE, **inputs)
    assert np.mean((ids == target[:, np.newaxis]).numpy().any(axis=1)) >= 0.95


@pytest.mark.trains
@TRAINED
def test_the_exported_model_answers_as_the_one_in_process(trained, toy, tmp_path):
    module = tf.saved_model.load(str(serving.export(trained, toy, tmp_path, SIZE)))
    inputs, _ = windows(trained, toy, [1, 3])
    ids, scores = recommend(trained, k=SIZE, **inputs)
    rows = inputs["history"].numpy()
    raw = {"history": tf.constant(np.where(rows > 0, np.char.add("item ", rows.astype(str)), ""))}
    if "days" in inputs:
        raw["timestamps"] = tf.cast(inputs["days"], tf.int64) * 86_400
    if "profile" in inputs:
        raw["profile"] = tf.gather(tf.constant(["", *"abc"]), inputs["profile"])
    answer = module.signatures["serving_default"](**raw)
    np.testing.assert_allclose(answer["scores"], scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(answer["items"].numpy().astype(str), np.char.add("item ", ids.numpy().astype(str)))
