"""The objective: readout (which interest answers) × negatives (which items compete) × softmax + regularisers."""
