namespace ClipSegNative.Imaging;

/// <summary>A rectangle of whole pixels: left and top edge from the picture's top left corner, and size. All zeros when empty.</summary>
public readonly record struct PixelBox(int X, int Y, int Width, int Height);
