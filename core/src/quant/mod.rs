//! Block quantization formats: layout, quantize, dequantize, scalar product.
