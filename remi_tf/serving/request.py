"""From a request to what the model reads: known ids, days, lists, and what is wrong with a row."""

import tensorflow as tf

SECONDS_A_DAY = 86_400
LAST_DAY = 2**29  # limit in both directions, so that differences of days fit into 32 bits for any request


def slots(rows: tf.Tensor, length: int) -> tf.Tensor:
    """The slot of each of the last `length` known items when these are put together; -1 for what is not read.

    rows: [batch, any] int32, 0 = unknown → [batch, any] int32 in -1..length - 1.
    """
    known = tf.cast(rows > 0, tf.int32)
    position = tf.cumsum(known, axis=1) - 1  # [B, any] among the known ones
    count = tf.reduce_sum(known, axis=1, keepdims=True)  # [B, 1]
    return tf.where(rows > 0, tf.maximum(position - tf.maximum(count - length, 0), -1), -1)


def last_known(values: tf.Tensor, rows: tf.Tensor, length: int) -> tf.Tensor:
    """The last `length` of the values whose row is not 0, in their order, right-padded with 0.

    Args:
      values, rows: [batch, any] int32.

    Returns:
      [batch, length] int32.
    """
    slot = slots(rows, length)
    kept = tf.where(slot >= 0)  # [n, 2] batch, position in rows
    target = tf.stack([kept[:, 0], tf.cast(tf.gather_nd(slot, kept), tf.int64)], axis=1)  # [n, 2] batch, slot
    shape = tf.stack([tf.shape(rows, tf.int64)[0], length])
    return tf.ensure_shape(tf.scatter_nd(target, tf.gather_nd(values, kept), shape), [None, length])


def over_history(routing: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """The routing of the items that are read, put back to their places in the request's history.

    routing: [batch, interests, length]; rows: [batch, any] int32 → [batch, interests, any], 0 on what is not read.
    """
    slot = slots(rows, routing.shape[2])
    spread = tf.gather(routing, tf.maximum(slot, 0), axis=2, batch_dims=1)  # [B, K, any]
    return tf.where(slot[:, None, :] >= 0, spread, 0.0)


def days(timestamps: tf.Tensor, rows: tf.Tensor, length: int) -> tf.Tensor:
    """Day numbers (as `views.day_numbers`) of the items that are read: [batch, any] → [batch, length] int32."""
    same = tf.reduce_all(tf.shape(timestamps) == tf.shape(rows))
    timestamps = checked(timestamps, same, "timestamps must have the shape of history: one for each id")
    numbers = tf.round(tf.cast(timestamps, tf.float64) / SECONDS_A_DAY)
    return last_known(tf.cast(tf.clip_by_value(numbers, -LAST_DAY, LAST_DAY), tf.int32), rows, length)


def one_a_row(name: str, values: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """One value, or one for each row: any shape of 1 or `batch` values → [batch]."""
    values = tf.reshape(values, [-1])
    return tf.broadcast_to(_for_batch(name, values, batch, "value"), [batch])


def list_a_row(name: str, values: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """One list, or one for each row: [1 or batch, any] as it is. A list for all rows is not copied for each of them."""
    return _for_batch(name, values, batch, "list")


def checked(values: tf.Tensor, holds: tf.Tensor, message: str) -> tf.Tensor:
    """The values unchanged if `holds` is true; else InvalidArgumentError with the message."""
    with tf.control_dependencies([tf.debugging.assert_equal(holds, True, message=message)]):
        return tf.identity(values)


def _for_batch(name: str, values: tf.Tensor, batch: tf.Tensor, what: str) -> tf.Tensor:
    given = tf.shape(values)[0]
    message = f"{name}: give one {what} for the whole batch, or one for each row of history"
    return checked(values, (given == batch) | (given == 1), message)


def first_message(batch: tf.Tensor, *cases: tuple[tf.Tensor, tf.Tensor | str]) -> tf.Tensor:
    """The text of the first case that holds for a row, "" where none does.

    batch: how many rows; cases: (holds [batch] bool, text: one or [batch] strings) → [batch] string.
    """
    message = tf.fill([batch], "")
    for holds, text in reversed(cases):
        message = tf.where(holds, tf.broadcast_to(text, [batch]), message)
    return message
