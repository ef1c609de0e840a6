"""Numbers as text."""


def fixed(value: float, digits: int, sign: str = "") -> str:
    """A number with so many decimals. What is rounded to zero has no minus.

    Args:
      sign: "+" writes the sign of numbers that are not negative too.
    """
    return f"{round(float(value), digits) + 0.0:{sign}.{digits}f}"  # -0.0 + 0.0 is 0.0
